"""The settings an administrator gives, read from the environment, and the reasons not to start with them.

Every name is listed in docs/operations. A name ending in _FILE gives the path of a file that holds the value,
as secret stores of containers do.
"""

import os
import secrets
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
from environ.fileaware_mapping import FileAwareMapping

ROOT = Path(__file__).resolve().parent.parent

#: How examples in manuals begin.
PRINTED_SECRETS = {"change-me", "changeme", "secret", "insecure", "django-insecure"}
SECRET_LENGTH = 50
#: The shortest prefix of a controlled network, by version of IP: 10.0.0.0/8 is one, the internet is none.
WIDEST_NETWORK = {4: 8, 6: 32}
#: Roles with more rights than the application may have, or of no one in particular.
OVERPOWERED_ROLES = {
    "postgres",
    "root",
    "cartulary_owner",
    "cartulary_migrator",
    "cartulary_guard",
}


class Mode(StrEnum):
    """What a deployment is for. Only production holds lots of patients."""

    PRODUCTION = "production"
    DEMO = "demo"
    TEST = "test"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What the environment says, before anything is judged."""

    mode: str
    debug: bool
    secret_key: str
    secret_key_fallbacks: tuple[str, ...]
    hosts: tuple[str, ...]
    origin: str
    behind_proxy: bool
    secure_cookies: bool
    simulated_clock: bool
    clock_drift_seconds: int
    second_factor_at_sign_in: bool
    controlled_networks: tuple[str, ...]
    database_url: str
    migrate_database_url: str
    redis_url: str
    redis_prefix: str
    keys_folder: Path
    anchors_folder: Path
    tsa_url: str
    tsa_certificates: str
    cosign: bool
    email_url: str
    email_from: str
    var_folder: Path
    static_folder: Path
    log_level: str
    app_version: str = "0.1.0"

    @property
    def production(self) -> bool:
        return self.mode == Mode.PRODUCTION


def read(values: dict[str, str]) -> Environment:
    """Reads the environment. A demo or test without a secret gets one of its own, kept in its var folder."""
    env = environ.Env()
    env.ENVIRON = FileAwareMapping(env=values)
    mode = env.str("CARTULARY_MODE", default=Mode.PRODUCTION)
    production = mode == Mode.PRODUCTION
    var_folder = Path(env.str("CARTULARY_VAR", default=str(ROOT / "var"))).absolute()
    secret_key = env.str("CARTULARY_SECRET_KEY", default="")
    if not secret_key and not production:
        secret_key = kept_secret(var_folder / "secret_key")
    local = ("localhost", "127.0.0.1", "[::1]")
    return Environment(
        mode=mode,
        debug=env.bool("CARTULARY_DEBUG", default=False),
        secret_key=secret_key,
        secret_key_fallbacks=tuple(env.list("CARTULARY_SECRET_KEY_FALLBACKS", default=[])),
        hosts=tuple(env.list("CARTULARY_HOSTS", default=[] if production else list(local))),
        origin=env.str("CARTULARY_ORIGIN", default=""),
        behind_proxy=env.bool("CARTULARY_BEHIND_PROXY", default=False),
        secure_cookies=env.bool("CARTULARY_SECURE_COOKIES", default=production),
        simulated_clock=env.bool("CARTULARY_SIMULATED_CLOCK", default=not production),
        clock_drift_seconds=env.int("CARTULARY_CLOCK_DRIFT_SECONDS", default=5),
        second_factor_at_sign_in=env.bool("CARTULARY_SECOND_FACTOR_AT_SIGN_IN", default=production),
        controlled_networks=tuple(env.list("CARTULARY_CONTROLLED_NETWORKS", default=[])),
        database_url=env.str("DATABASE_URL", default=""),
        migrate_database_url=env.str("MIGRATE_DATABASE_URL", default=""),
        redis_url=env.str("REDIS_URL", default=""),
        redis_prefix=env.str("CARTULARY_REDIS_PREFIX", default="cartulary:"),
        keys_folder=Path(env.str("CARTULARY_KEYS", default="" if production else str(var_folder / "keys"))),
        anchors_folder=Path(env.str("CARTULARY_ANCHORS", default=str(var_folder / "anchors"))).absolute(),
        tsa_url=env.str("CARTULARY_TSA_URL", default=""),
        tsa_certificates=env.str("CARTULARY_TSA_CERTIFICATES", default=""),
        cosign=env.bool("CARTULARY_COSIGN", default=False),
        email_url=env.str(
            "EMAIL_URL",
            default="" if production else f"filemail:///{var_folder / 'mail'}",
        ),
        email_from=env.str("CARTULARY_EMAIL_FROM", default="cartulary@localhost"),
        var_folder=var_folder,
        static_folder=Path(env.str("CARTULARY_STATIC", default=str(ROOT / "staticfiles"))).absolute(),
        log_level=env.str("CARTULARY_LOG_LEVEL", default="INFO").upper(),
    )


def given(name: str) -> str:
    """What the environment gives under a name, or in the file that NAME_FILE names; '' when it gives neither."""
    return FileAwareMapping(env=os.environ, cache=False).get(name, "").strip()


def kept_secret(path: Path) -> str:
    """The secret in the file, made on first use, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", opener=owner_only) as file:
            file.write(secrets.token_urlsafe(64))
    except FileExistsError:
        pass
    return path.read_text().strip()


def owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def refusals(env: Environment) -> list[str]:
    """Why this deployment must not start: one sentence each, saying what to set. Empty when it may.

    Sources: 21 CFR 11.10(a), 11.10(d), 11.300; EU Annex 11 clause 12 (security) and 4 (validated settings).
    """
    if env.mode not in list(Mode):
        return [f"CARTULARY_MODE is {env.mode!r}. Set it to production, demo or test."]
    found = timestamp_refusals(env) + network_refusals(env)
    if not env.production:
        return found
    if env.debug:
        found.append("CARTULARY_DEBUG is on: error pages would show record contents. Switch it off.")
    found += secret_refusals(env)
    if not env.secure_cookies:
        found.append("CARTULARY_SECURE_COOKIES is off: sessions could be read on the way. Switch it on.")
    if env.simulated_clock:
        found.append("CARTULARY_SIMULATED_CLOCK is on: record time may be simulated in a demo only. Switch it off.")
    if not env.second_factor_at_sign_in:
        found.append("CARTULARY_SECOND_FACTOR_AT_SIGN_IN is off: a stolen password alone would open a session that releases lots. Switch it on.")
    if not 1 <= env.clock_drift_seconds <= 60:
        found.append("CARTULARY_CLOCK_DRIFT_SECONDS is not between 1 and 60: the times of signatures would mean little. Set it to a few seconds.")
    if not env.hosts or "*" in env.hosts:
        found.append("CARTULARY_HOSTS names no host or any host. Set it to the host names people use.")
    if not env.origin.startswith("https://"):
        found.append("CARTULARY_ORIGIN is not an https:// address. Set it to the address people open.")
    elif env.origin.lower().removesuffix("/") != f"https://{urlsplit(env.origin).netloc.lower()}" or "@" in env.origin:
        found.append("CARTULARY_ORIGIN names more than an address: passkeys are bound to it as browsers write it. Set it to https:// and the host people open.")
    if env.keys_folder == Path(""):
        found.append("CARTULARY_KEYS is missing. Set it to a folder outside the database and its backups.")
    if not env.email_url:
        found.append("EMAIL_URL is missing: alerts could not be sent. Set it to the mail server's address.")
    return found + service_refusals(env)


def timestamp_refusals(env: Environment) -> list[str]:
    """Why the address of the time-stamp authority will not do. A token that nobody can check is no anchor."""
    if not env.tsa_url:
        return []
    address = urlsplit(env.tsa_url)
    local = address.hostname in ("127.0.0.1", "::1", "localhost")
    found = []
    if not address.hostname or not (address.scheme == "https" or (address.scheme == "http" and local)):
        found.append("CARTULARY_TSA_URL is neither an https:// address nor one of this machine. Set it to the authority's https:// address.")
    if not env.tsa_certificates:
        found.append("CARTULARY_TSA_CERTIFICATES is missing. Set it to a file with the certificates (PEM) that the authority's tokens lead to.")
    return found


def network_refusals(env: Environment) -> list[str]:
    """Why the controlled networks will not do: not written as networks, or so wide that they mean everywhere."""
    found = []
    for written in env.controlled_networks:
        advice = "Write networks by comma, for example 10.20.0.0/16,fd00:20::/48."
        try:
            network = ip_network(written)
        except ValueError:
            found.append(f"CARTULARY_CONTROLLED_NETWORKS holds {written!r}, which is no network. {advice}")
            continue
        if network.prefixlen < WIDEST_NETWORK[network.version]:
            found.append(f"CARTULARY_CONTROLLED_NETWORKS holds {written!r}, which is wider than any site. {advice}")
    return found


def secret_refusals(env: Environment) -> list[str]:
    advice = f"Set it to at least {SECRET_LENGTH} random characters, for example from: openssl rand -base64 48"
    if not env.secret_key:
        return [f"CARTULARY_SECRET_KEY is missing. {advice}"]
    if env.secret_key.lower().startswith(tuple(PRINTED_SECRETS)):
        return [f"CARTULARY_SECRET_KEY is a printed example. {advice}"]
    if len(env.secret_key) < SECRET_LENGTH or len(set(env.secret_key)) < 10:
        return [f"CARTULARY_SECRET_KEY is too short or too regular to be a secret. {advice}"]
    return []


def service_refusals(env: Environment) -> list[str]:
    """Why the addresses of the database and of Redis will not do."""
    found = []
    if sentence := database_refusal(env):
        found.append(sentence)
    if not env.redis_url:
        found.append("REDIS_URL is missing. Set it to the address of Redis.")
    return found


def database_refusal(env: Environment) -> str:
    """Why the address of the database will not do; '' when it does."""
    if not env.database_url:
        return "DATABASE_URL is missing. Set it to the address of the database for the role cartulary_app."
    address = urlsplit(env.database_url)
    role = unquote(address.username or "")
    if address.scheme not in ("postgres", "postgresql"):
        return f"DATABASE_URL starts with {address.scheme!r}: the only database is PostgreSQL."
    if not role or role in OVERPOWERED_ROLES:
        return (
            f"DATABASE_URL uses the role {role or '(none)'!r}, which could switch off what guards the records. "
            "Use cartulary_app, which owns nothing."
        )
    if env.migrate_database_url and unquote(urlsplit(env.migrate_database_url).username or "") == role:
        return "DATABASE_URL and MIGRATE_DATABASE_URL use the same role. Migrate as cartulary_migrator."
    return ""
