#!/bin/sh
# Makes docker/secrets/ with random passwords and the addresses that hold them, and docker/.env with the name people open.
# Running it again changes nothing that is there. The address of the mail server is yours: docker/secrets/email_url.
set -eu
cd "$(dirname "$0")"
name="${1:?the host name people open, for example records.example}"
umask 077
mkdir -p secrets

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -s "secrets/$1" ] || printf '%s\n' "$2" > "secrets/$1"; }
address() { printf 'postgresql://%s:%s@database:5432/%s' "$1" "$(random)" "$2"; }

keep postgres_password "$(random)"
keep redis_password "$(random)"
keep secret_key "$(random)"
keep redis_url "redis://:$(cat secrets/redis_password)@broker:6379/0"
keep admin_database_url "postgresql://postgres:$(cat secrets/postgres_password)@database:5432/postgres"
keep database_url "$(address cartulary_app cartulary)"
keep migrate_database_url "$(address cartulary_migrator cartulary)"
keep verify_database_url "$(address cartulary_verifier cartulary)"
keep read_database_url "$(address cartulary_reader cartulary)"
[ -e secrets/email_url ] || { : > secrets/email_url; echo "Write the mail server's address into docker/secrets/email_url, such as smtp+tls://user:secret@mail.example:587"; }
# The containers' user (10001) reads them: files of a compose secret keep the mode they have here.
chown -R 10001:10001 secrets 2>/dev/null && chmod 0700 secrets || echo "Run as root, or let the user 10001 read docker/secrets: the containers run as it."
[ -e .env ] || printf 'CARTULARY_HOSTS=%s,127.0.0.1\nCARTULARY_ORIGIN=https://%s\n' "$name" "$name" > .env
