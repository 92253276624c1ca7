"""How secrets of people are stored."""

from functools import cache

from django.contrib.auth.hashers import Argon2PasswordHasher, make_password


class Argon2id19(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane: OWASP's recommendation, and quick enough to sign with.

    Django's own values take 100 MiB a check, which a shared station and a busy web server both feel.
    Hashes with other values still verify, and give way to one with these when the person sets that secret anew: nothing rewrites a secret
    behind a person's back.
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1


@cache
def nobodys_hash() -> str:
    """The hash that is checked where there is no person: an unknown name takes as long as a known one, by one check."""
    return make_password("an unknown person")
