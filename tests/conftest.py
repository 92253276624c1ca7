"""How tests get their servers and databases, and what every test run says at its end."""

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from mes.embedded.stopped import Stopped
from tests import servers
from tests.database import Database, Databases

try:
    servers.prepare()
except Stopped as stopped:
    print(f"tests: {stopped}", file=sys.stderr)
    raise SystemExit(2) from None

CASES = {"positive", "negative"}
COMMITS = "This test commits: take the fixture committed_db, a database of its own. Tables are never emptied here."


# --- what is run ------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run tests marked long (minutes each)")
    parser.addoption("--sabotage", action="store_true", help="take every control away in turn, and nothing else: some test has to fail (many minutes)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "req(id, case): the requirement this test shows, as a positive or negative case")
    config.addinivalue_line("markers", "sabotage: the sabotage run; run with --sabotage only")
    config.addinivalue_line("markers", "long: takes minutes; run with --long only")
    import hypothesis

    # A busy machine is no finding: examples are counted, never timed.
    hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    hypothesis.settings.load_profile("house")
    from django.conf import settings

    # Reading the settings here is also what tells pytest-django to set Django up.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    prefix = f"{os.environ['CARTULARY_REDIS_PREFIX']}{worker}:"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"] = prefix


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Side by side, the tests of a file stay together, and journeys share one running site."""
    folder = item.path.parent
    item.add_marker(pytest.mark.xdist_group("journeys" if folder.name == "journeys" else str(item.path)))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.left_out = []
    for item in items:
        for mark in item.iter_markers("req"):
            if len(mark.args) != 1 or mark.kwargs.get("case") not in CASES:
                raise pytest.UsageError(f'{item.nodeid}: write @pytest.mark.req("ID", case="positive" or "negative")')
    if config.getoption("--sabotage"):
        items[:] = [item for item in items if item.get_closest_marker("sabotage")]
        return
    config.sabotage_left_out = [item for item in items if item.get_closest_marker("sabotage")]
    config.hook.pytest_deselected(items=config.sabotage_left_out)
    items[:] = [item for item in items if not item.get_closest_marker("sabotage")]
    if config.getoption("--long"):
        return
    config.left_out = [item for item in items if item.get_closest_marker("long")]
    if config.left_out:
        config.hook.pytest_deselected(items=config.left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    if hasattr(config, "workeroutput"):
        # The process that writes the closing lines collects nothing itself
        config.workeroutput["left_out"] = [item.nodeid.partition("@")[0] for item in config.left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error) -> None:
    node.config.left_out = getattr(node, "workeroutput", {}).get("left_out", []) or getattr(node.config, "left_out", [])


def pytest_runtest_setup(item: pytest.Item) -> None:
    names = set(getattr(item, "fixturenames", ()))
    mark = item.get_closest_marker("django_db")
    commits = bool(mark and (mark.kwargs.get("transaction") or (mark.args and mark.args[0])))
    if commits or names & {
        "transactional_db",
        "live_server",
        "django_db_reset_sequences",
        "django_db_serialized_rollback",
    }:
        pytest.fail(COMMITS, pytrace=False)
    if "committed_db" in names and (mark or "db" in names):
        pytest.fail("This test asks for committed_db and for a rollback (db). Take one of them.", pytrace=False)


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Nothing is left out without a word."""
    lines = []
    if getattr(config, "sabotage_left_out", []):
        lines.append("the sabotage run (every control taken away in turn); run with: python3 manage.py test --sabotage")
    if left_out := getattr(config, "left_out", []):
        lines.append(f"{len(left_out)} long (each takes minutes); run with: python3 manage.py test --long")
        lines += [f"  {getattr(item, 'nodeid', item)}" for item in left_out]
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        lines.append(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}")
    terminalreporter.section("left out")
    terminalreporter.write_line("\n".join(lines) if lines else "nothing")


# --- databases --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Where this process makes its databases."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    token = servers.TOKEN if number == 0 else f"{(int(servers.TOKEN, 16) + number) % 2**48:012x}"
    made = Databases(token)
    yield made
    made.close()


@pytest.fixture(scope="session")
def django_db_setup(databases: Databases, django_db_blocker) -> Iterator[None]:
    """Replaces pytest-django's own database: one copy of the template, in which every test is rolled back."""
    database = databases.copy()
    with pointing(database):
        yield
        close_connections()
    databases.drop(database.name)


@pytest.fixture
def committed_db(databases: Databases, django_db_setup: None, django_db_blocker) -> Iterator[Database]:
    """A database of this test's own, for what commits: races, kills, browsers, journeys.

    Django's connections and the environment of processes started by the test point to it.
    """
    database = databases.copy()
    with django_db_blocker.unblock(), pointing(database):
        yield database
        close_connections()
    databases.drop(database.name)


class pointing:
    """Points Django's connections, and the environment, to a database while inside."""

    def __init__(self, database: Database):
        self.database = database

    def __enter__(self) -> None:
        from django.db import connections

        self.names = {alias: connections.settings[alias]["NAME"] for alias in connections}
        self.env = {name: os.environ[name] for name in self.database.urls}
        self.move(dict.fromkeys(connections, self.database.name), self.database.urls)

    def __exit__(self, *_error) -> None:
        self.move(self.names, self.env)

    def move(self, names: dict[str, str], env: dict[str, str]) -> None:
        from django.db import connections

        close_connections()
        for alias, name in names.items():
            connections.settings[alias]["NAME"] = name
            connections[alias].settings_dict["NAME"] = name
        os.environ.update(env)


def close_connections() -> None:
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close()


# --- no network but this machine --------------------------------------------------------------------------------------


@pytest.fixture(autouse=True, scope="session")
def _network_off() -> Iterator[None]:
    allowed = {urlsplit(os.environ["REDIS_URL"]).hostname, urlsplit(os.environ["DATABASE_URL"]).hostname}
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def is_local(host: str) -> bool:
        if host in allowed or host in ("localhost", "", None):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    def connect_locally(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_local(address[0]):
            raise OSError(f"Tests use this machine only; this one reached for {address[0]}.")
        return connect(self, address)

    def look_up_locally(host, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        if not is_local(name):
            raise socket.gaierror(f"Tests use this machine only; this one looked for {name}.")
        return look_up(host, *args, **kwargs)

    socket.socket.connect, socket.getaddrinfo = connect_locally, look_up_locally
    yield
    socket.socket.connect, socket.getaddrinfo = connect, look_up


@pytest.fixture(autouse=True)
def _anchors_of_their_own(settings, tmp_path_factory) -> None:
    """A checkpoint is written once: every test has an empty folder for its anchors."""
    settings.ANCHORS_FOLDER = tmp_path_factory.mktemp("anchors")


@pytest.fixture(autouse=True, scope="session")
def _keys_in_redis() -> Iterator[None]:
    """Takes this run's keys out of Redis at the end: by their prefix, never all."""
    yield
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    import redis

    with redis.Redis.from_url(os.environ["REDIS_URL"], socket_connect_timeout=1) as client:
        try:
            for key in client.scan_iter(f"{os.environ['CARTULARY_REDIS_PREFIX']}*"):
                client.delete(key)
        except redis.ConnectionError:
            return  # a test stopped a server of its own
