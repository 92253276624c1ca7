"""A demo site of a test's own: a committed database, real web, worker and beat, made-up people with sessions of their own."""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from mes import clock as record_clock
from mes.celery import app
from mes.embedded.processes import Supervisor, beat, web, worker
from quality.demo import journey, people, preparing, story
from quality.demo.agenda import Agenda
from quality.demo.cast import Cast
from quality.demo.client import Refused
from quality.demo.clock import advance_to
from quality.demo.enabling import enable_signing
from quality.demo.lotwork import LotWork
from quality.demo.progress import Progress
from quality.demo.store import everything
from tests.builders.background import forget_connections


class Quiet(Progress):
    """Says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.live = False

    def _line(self, text: str) -> None:
        return


@dataclass
class RunningSite:
    """A site that serves at `base`, with its people."""

    base: str
    cast: Cast
    supervisor: Supervisor
    folder: Path

    def prepare(self, *products: str) -> None:
        """Recipes, specifications, training, materials and equipment for these products, over HTTP."""
        preparing.prepare(self.cast, Quiet(), record_clock.record_now, products=products)

    def give_role(self, username: str, role: str) -> None:
        """The administrator gives a person a further role, on the person's page."""
        address = f"/people/{self.cast[username].get('/api/v1/me/')['id']}/"
        found = re.search(rf'<option value="([0-9a-f-]+)"[^>]*>{role}</option>', self.cast["admin"].page(address))
        assert found, f"the page offers no role {role}"
        self.cast["admin"].submit(f"{address}roles/", {"role": found[1], "until": ""})

    def device(self, class_code: str, channel: str, unit: str) -> tuple[str, str]:
        """A device's token and the id of its equipment: enrolled, given its role and its token on the administrator's pages."""
        admin, supervisor = self.cast["admin"], self.cast["supervisor"]
        pieces = [each for each in everything(supervisor, "/api/v1/equipment/") if each["equipment_class"] == class_code]
        equipment = pieces[0]["id"]
        supervisor.submit(f"/equipment/{equipment}/channels/new/", {"code": channel, "unit": unit})
        made = admin.submit("/people/new/", {"kind": "device", "full_name": f"Demo {class_code}", "username": f"device-{class_code}", "email": "", "badge": ""})
        address = made.headers["Location"]
        role = re.search(r'<option value="([0-9a-f-]+)"[^>]*>Equipment</option>', admin.page(address))[1]
        admin.submit(f"{address}roles/", {"role": role, "until": ""})
        return re.search(r"ctd_[\w-]+", admin.submit(f"{address}token/", {"equipment": equipment}).text)[0], equipment

    def work(self, **more) -> LotWork:
        """A lot's story at this site."""
        return journey.work(self.cast, people.zone(), **more)

    def run(self, *works: LotWork) -> None:
        """Work through lots on one calendar."""
        agenda = Agenda(record_clock.record_now, advance_to)
        for work in works:
            agenda.add(work.key, work.course(), record_clock.record_now())
        agenda.run()


@contextmanager
def running_site(tmp_path: Path, monkeypatch) -> Iterator[RunningSite]:
    """Real web, worker and beat on the committed database this process points to, a site with one person per role, the clock set back."""
    for name in ("VAR_FOLDER", "KEYS_FOLDER", "ANCHORS_FOLDER"):
        monkeypatch.setattr(settings, name, tmp_path / name.lower())
        (tmp_path / name.lower()).mkdir()
    options = app.conf.broker_transport_options
    # Names of its own in Redis: a site that another test of this process has running would take half of the messages
    monkeypatch.setitem(options, "global_keyprefix", f"{options['global_keyprefix']}{secrets.token_hex(4)}:")
    forget_connections()
    env = {
        "CARTULARY_VAR": str(settings.VAR_FOLDER), "CARTULARY_KEYS": str(settings.KEYS_FOLDER), "CARTULARY_NO_INSTALL": "1",
        "CARTULARY_SECRET_KEY": settings.SECRET_KEY, "CARTULARY_REDIS_PREFIX": options["global_keyprefix"],
        "CARTULARY_ANCHORS": str(settings.ANCHORS_FOLDER),
    }  # fmt: skip
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    preparing.begin_in_the_past()
    people.open_demo_site()
    # Another process of the run may start a site at this very moment: the system gives each a port of its own.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = [web("127.0.0.1", port, workers=1), worker(concurrency=1), beat()]
    with Supervisor(children, tmp_path) as supervisor:
        supervisor.start(90)
        base = f"http://127.0.0.1:{port}"
        cast = story.open_cast(base)
        enable_signing(cast)
        yield RunningSite(base, cast, supervisor, tmp_path)
    forget_connections()


@contextmanager
def refusal(code: str, status: int | None = None) -> Iterator[None]:
    """Asserts that a call inside is refused with a code, over the API or on a page."""
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.code == code, caught.value
    assert status is None or caught.value.status == status, caught.value
