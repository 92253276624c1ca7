"""Production starts with safe settings only, and says in a sentence what to set."""

import os
import subprocess
import sys

import pytest

from mes import env
from tests.database import ROOT

SAFE = {
    "CARTULARY_MODE": "production",
    "CARTULARY_SECRET_KEY": "qT8rWz4mLkXc0vBn7yHs2pJd5fGa9eUo1iRt6wEq3xZb8nMv",
    "CARTULARY_HOSTS": "ebr.hospital.example",
    "CARTULARY_ORIGIN": "https://ebr.hospital.example",
    "CARTULARY_KEYS": "/srv/keys",
    "EMAIL_URL": "smtp://mail.hospital.example:25",
    "DATABASE_URL": "postgresql://cartulary_app:secret@db:5432/cartulary",
    "MIGRATE_DATABASE_URL": "postgresql://cartulary_migrator:other@db:5432/cartulary",
    "REDIS_URL": "redis://redis:6379/0",
}
SAFE["CARTULARY_SECRET_KEY"] += "Kc5"


def refusals(**changes):
    values = {**SAFE, **changes}
    return env.refusals(env.read({name: value for name, value in values.items() if value is not None}))


def test_safe_production_settings_start():
    assert refusals() == []


@pytest.mark.req("DI-06", case="negative")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARTULARY_DEBUG", "on"),
        ("CARTULARY_SECRET_KEY", None),
        ("CARTULARY_SECRET_KEY", "django-insecure-qT8rWz4mLkXc0vBn7yHs2pJd5fGa9eUo1iRt6wEq3xZb8nMv"),
        ("CARTULARY_SECRET_KEY", "qT8rWz4mLkXc0vBn7yHs"),
        ("CARTULARY_SECRET_KEY", "ab" * 40),
        ("CARTULARY_SECURE_COOKIES", "off"),
        ("CARTULARY_SIMULATED_CLOCK", "on"),
        ("CARTULARY_HOSTS", None),
        ("CARTULARY_HOSTS", "*"),
        ("CARTULARY_ORIGIN", "http://ebr.hospital.example"),
        ("CARTULARY_ORIGIN", "https://ebr.hospital.example/cartulary"),
        ("CARTULARY_ORIGIN", "https://admin@ebr.hospital.example"),
        ("CARTULARY_KEYS", None),
        ("EMAIL_URL", None),
        ("DATABASE_URL", None),
        ("DATABASE_URL", "sqlite:///db.sqlite3"),
        ("DATABASE_URL", "postgresql://postgres:secret@db:5432/cartulary"),
        ("DATABASE_URL", "postgresql://cartulary_migrator:secret@db:5432/cartulary"),
        ("MIGRATE_DATABASE_URL", "postgresql://cartulary_app:secret@db:5432/cartulary"),
        ("REDIS_URL", None),
    ],
)
def test_an_unsafe_production_setting_is_refused_by_name(name, value):
    found = refusals(**{name: value})
    assert len(found) == 1
    assert name in found[0]
    assert found[0].endswith((".", "48"))


def test_all_refusals_are_told_at_once():
    assert len(refusals(CARTULARY_DEBUG="on", REDIS_URL=None, CARTULARY_HOSTS=None)) == 3


def test_an_unknown_mode_is_refused():
    assert refusals(CARTULARY_MODE="staging") == ["CARTULARY_MODE is 'staging'. Set it to production, demo or test."]


def test_no_mode_means_production():
    assert env.read({}).production
    assert env.refusals(env.read({}))


@pytest.mark.req("AUD-13", case="negative")
def test_production_has_no_simulated_clock_unless_told_and_then_refuses():
    assert not env.read(SAFE).simulated_clock
    assert "simulated in a demo only" in refusals(CARTULARY_SIMULATED_CLOCK="true")[0]


def test_a_secret_is_read_from_a_file(tmp_path):
    (tmp_path / "key").write_text(SAFE["CARTULARY_SECRET_KEY"])
    found = env.read({"CARTULARY_MODE": "production", "CARTULARY_SECRET_KEY_FILE": str(tmp_path / "key")})
    assert found.secret_key == SAFE["CARTULARY_SECRET_KEY"]


def test_a_demo_makes_a_secret_of_its_own_and_keeps_it(tmp_path):
    values = {"CARTULARY_MODE": "demo", "CARTULARY_VAR": str(tmp_path)}
    first, second = env.read(values).secret_key, env.read(values).secret_key
    assert first == second
    assert len(first) >= env.SECRET_LENGTH
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert env.refusals(env.read(values)) == []


def start(**values):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, "CARTULARY_NO_INSTALL": "1", **values}
    words = [sys.executable, str(ROOT / "manage.py"), "check"]
    return subprocess.run(words, env=environment, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.req("DI-06", case="negative")
def test_the_command_stops_with_sentences_and_no_traceback():
    done = start(**SAFE | {"CARTULARY_DEBUG": "1", "CARTULARY_SECRET_KEY": "short"})
    assert done.returncode == 2
    assert "CARTULARY_DEBUG is on" in done.stderr
    assert "CARTULARY_SECRET_KEY is too short" in done.stderr
    assert "Traceback" not in done.stderr
    assert "short" not in done.stderr.replace("too short", "")


def test_production_settings_put_cookies_and_pages_under_tls():
    code = (
        "from mes import settings as s;"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS > 0,"
        " s.SIMULATED_CLOCK, s.DEBUG, s.PASSWORD_HASHERS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS);"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.STATION_COOKIE_NAME)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=SAFE, capture_output=True, text=True, cwd=ROOT, check=True)
    flags, names = done.stdout.strip().splitlines()
    assert flags == "True True True True False False ['mes.people.hashers.Argon2id19'] True"
    assert [name.removeprefix("__Host-cartulary_") for name in names.split()] == ["session", "csrf", "station"]
