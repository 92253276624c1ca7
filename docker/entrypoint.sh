#!/bin/sh
# What a container of Cartulary does: prepare, migrate, web, worker, paper, beat; anything else goes to manage.py.
# Each gets the addresses of its own roles and no others (docker/compose.yml). Addresses may come as NAME_FILE.
set -eu
cd "$(dirname "$0")/.."

case "${1:-web}" in
  prepare) exec python manage.py prepare_database ;;
  migrate) exec python manage.py migrate --noinput ;;
  web)
    exec python -m gunicorn mes.wsgi:application --worker-class gthread --workers "${WEB_WORKERS:-2}" --threads "${WEB_THREADS:-4}" \
      --bind "${WEB_BIND:-0.0.0.0:8000}" --graceful-timeout 15 --worker-tmp-dir /dev/shm --no-control-socket ;;
  worker) exec python -m celery -A mes.celery worker -Q urgent,default -c "${WORKER_PROCESSES:-2}" -l INFO --without-gossip --without-mingle ;;
  paper) exec python -m celery -A mes.celery worker -Q paper -c 1 -l INFO --without-gossip --without-mingle ;;
  beat) exec python -m celery -A mes.celery beat -l INFO --pidfile= --schedule "${BEAT_SCHEDULE:-/tmp/beat-schedule}" ;;
  *) exec python manage.py "$@" ;;
esac
