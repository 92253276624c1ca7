"""Which lots the demo makes, when each begins, and where each ends; told once, over HTTP, on one calendar."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

from mes import clock as record_clock
from mes.people.models import Site
from quality.demo import clock, people, preparing, values
from quality.demo.agenda import Agenda
from quality.demo.cast import Cast
from quality.demo.client import Person
from quality.demo.lotwork import LotWork
from quality.demo.ordering import Order
from quality.demo.progress import Progress
from quality.demo.store import Store


@dataclass(frozen=True)
class Story:
    """One lot: whose recipe and data, on which day before the last one it is ordered, and where it ends."""

    name: str
    title: str
    product: str
    data: str
    days_ago: int
    ends: str = "final"
    stops_after: str = ""
    instead: dict[str, str] = field(default_factory=dict)


RECIPE_OF = {"ari0001": ("ARI-0001-A", "1.0", ""), "mb_cart20_1": ("MB-CART20.1-A", "1.0", "cohort-1e6")}

STORIES: tuple[Story, ...] = (
    Story("mb1", "MB-CART20.1", "mb_cart20_1", "DEMO/MB/01", 58),
    Story("ari1", "ARI0001/01", "ari0001", "ARI0001/01", 48),
    Story("ari2", "ARI0001/02", "ari0001", "ARI0001/02", 46),
    Story("ari3", "ARI0001/03", "ari0001", "ARI0001/03", 44),
    Story("rejected", "a lot that is rejected", "ari0001", "ARI0001/02", 30, "rejected", instead={"viability": "61.0"}),
    Story("stage1", "a lot certified in stage 1", "ari0001", "ARI0001/03", 16, "stage_1"),
    Story("review", "a lot in review", "ari0001", "ARI0001/01", 16, "in_review"),
    Story("qc", "a lot in QC", "ari0001", "ARI0001/02", 15, "in_qc"),
    Story("making", "a lot in execution", "ari0001", "ARI0001/03", 12, "in_execution", "A9.1"),
    Story("ordered", "a lot that is ordered", "ari0001", "ARI0001/01", 1, "ordered"),
)
"""The long ones first. The others end on the last day, the day before the demo is started, each in another stage."""

START = dt.time(8, 0)


def state_file() -> Path:
    return Path(settings.VAR_FOLDER) / "demo_story.json"


def state() -> dict:
    return json.loads(state_file().read_text()) if state_file().exists() else {}


def is_told() -> bool:
    """Whether the demo's lots are made already."""
    return bool(state().get("told"))


def keep(**more) -> None:
    new = state_file().with_suffix(".new")
    new.write_text(json.dumps(state() | more, indent=1))
    new.replace(state_file())


def open_cast(base: str) -> Cast:
    """Everybody of the demo, each to sign in with an own session."""
    found = {}
    for each in people.known_people().values():
        person = Person(base, each.username, each.full_name, each.password, each.pin, each.badge, each.totp)
        person.on_enrolled = lambda secret, username=each.username: people.remember_authenticator(username, secret)
        found[each.username] = person
    return Cast(found)


def work_on(story: Story, cast: Cast, store: Store, zone: str, number: int, *, key: str, tell=lambda text: None) -> LotWork:
    """The work on one lot of the story. The key and the made-up patient and donation follow from its place, so that nothing happens twice."""
    recipe, version, cohort = RECIPE_OF[story.product]
    order = Order(recipe, version, cohort, f"Patient-{number:02d}", f"X9999{26:02d}{number:06d}")
    data = values.load(story.product, story.data)
    return LotWork(
        cast, store, order, data, record_clock.record_now, zone, f"{key}:{story.name}", ends=story.ends, stops_after=story.stops_after,
        instead=dict(story.instead), tell=tell,
    )  # fmt: skip


def tell(base: str, progress: Progress, stories: tuple[Story, ...] = STORIES) -> None:
    """Make the demo's lots over HTTP. Raises Refused, TooSlow; what was done stays, and telling it again goes on."""
    cast = open_cast(base)
    preparing.prepare(cast, progress, record_clock.record_now)
    site = Site.objects.get(code=people.SITE_CODE)
    zone = ZoneInfo(site.time_zone)
    last_day = dt.date.fromisoformat(state().get("last_day") or f"{dt.datetime.now(zone).date() - dt.timedelta(days=1)}")
    keep(last_day=str(last_day))
    agenda, store = Agenda(record_clock.record_now, clock.advance_to), Store(cast["operator"])
    progress.begin("Making lots", 0)
    for number, story in enumerate(stories, start=1):
        line = f"lot {number} of {len(stories)}, {story.title}"
        work = work_on(story, cast, store, site.time_zone, number, key=f"demo-{site.pk}", tell=lambda text, line=line: progress.step(f"{line}: {text}", at=0))
        begins = dt.datetime.combine(last_day - dt.timedelta(days=story.days_ago), START, zone).astimezone(dt.UTC)
        agenda.add(story.name, work.course(), begins)
    agenda.run()
    progress.done(f"{len(stories)} lots are made, with {cast.calls} requests by {len(cast.people)} people")
    clock.catch_up()
    keep(told=True)
