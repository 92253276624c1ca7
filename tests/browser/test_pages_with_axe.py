"""Every role signs in and opens what its navigation and its first page offer, and the main pages of a lot: no axe finding in light or dark,
no blocked script, no broken answer. Against a real web process.

Rules about structure do not depend on the colours, so dark runs the rules about colour alone.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab

from tests.builders.server import serving, settled
from tests.builders.staff import PASSWORD

LIGHT = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
DARK = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
PICTURES = os.environ.get("CARTULARY_PICTURES", "")
"""A folder to which the pages looked at are drawn, when it is given."""
LEAVES = re.compile(r"^/(sign-out|static|api)|\.(pdf|csv|json)$|/file/")
"""Addresses that are no pages: downloads, and the way out."""
ANY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[A-Z]{3}-\d\d-\d{4}|P-[A-Z2-9]{9}|D-[\w-]+|A\d\.\d")
"""What differs between two pages of one kind."""


@dataclass
class Tour:
    """One browser before one site; remembers which kinds of pages were looked at."""

    browser: Browser
    address: str
    floor: object
    lots: dict[str, str]
    """What stands in the addresses below: numbers of lots by what became of them, the pseudonym of a subject."""
    seen: set[str] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)

    def sign_in(self, name: str) -> Tab:
        tab = self.browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        tab.on("console", lambda said: self.findings.append(f"{name}: {said.text}") if "Content Security Policy" in said.text else None)
        tab.on("pageerror", lambda error: self.findings.append(f"{name} at {tab.url}: {error}"))
        tab.on("response", lambda got: self.findings.append(f"{name}: {got.url} answered {got.status}") if got.status >= 500 else None)
        tab.goto(f"{self.address}/sign-in/")
        tab.fill("[name=username]", self.floor.users[name].username)
        tab.fill("[name=password]", PASSWORD)
        tab.click("button.primary")
        tab.wait_for_url(f"{self.address}/")
        return tab

    def offered(self, tab: Tab) -> list[str]:
        """Where the page leads: its navigation, the menu included, and its content with every panel."""
        settled(tab)
        links = tab.evaluate("[...document.querySelectorAll('nav a[href], main a[href]')].map(link => link.getAttribute('href'))")
        return list(dict.fromkeys(link for link in links if link.startswith("/") and not link.startswith("//") and not LEAVES.search(link.partition("?")[0])))

    def look(self, tab: Tab, name: str, path: str, *, again: bool = False) -> None:
        """Open the page; run axe on it when none of its kind was looked at before."""
        kind = ANY.sub("…", path)
        if kind in self.seen and not again:
            answer = tab.request.get(self.address + path)
            if answer.status != 200:
                self.findings.append(f"{name}: {path} answered {answer.status}")
            return
        self.seen.add(kind)
        answer = tab.goto(self.address + path)
        settled(tab)
        if answer.status != 200:
            self.findings.append(f"{name}: {path} answered {answer.status}: {tab.inner_text('body')[:300]}")
            return
        self.check(tab, f"{name}: {path}")

    def check(self, tab: Tab, what: str) -> None:
        for scheme, rules in (("light", LIGHT), ("dark", DARK)):
            tab.emulate_media(color_scheme=scheme)
            found = Axe().run(tab, options=rules)
            if found.violations_count:
                self.findings.append(f"{what}, {scheme}\n{found.generate_report()}")
            if PICTURES:
                tab.screenshot(path=str(Path(PICTURES) / f"{re.sub(r'[^a-z0-9]+', '-', what.lower()).strip('-')}-{scheme}.png"))
        tab.emulate_media(color_scheme="light")


@pytest.fixture
def tour(committed_db, tmp_path, settings) -> Iterator[Tour]:
    from batches.subjects.identity import Identity
    from batches.subjects.services import enter_patient
    from mes.people.setup import system_actor
    from quality import watch
    from quality.deviations.models import Deviation
    from tests.builders.judged import Judged

    settings.KEYS_FOLDER = tmp_path / "keys"
    judged = Judged("AXE")
    from django.utils import timezone

    from mes.people.services import grant_role

    for name, role in (("ines", "inspector"), ("vic", "support")):  # roles that are never given without an end
        judged.users[name] = judged.place.person(f"{name}.axe")
        grant_role(by=judged.place.setup, user=judged.users[name], role=judged.place.role(role), ends_at=timezone.now() + dt.timedelta(hours=8))
    running = judged.to_count()
    judged.enter(running, "A1.2", viability="68.4")
    filled = judged.to_count()
    judged.fill_count(filled)
    with judged.reading():
        opened = list(Deviation.objects.values_list("pk", flat=True))
    for deviation in opened:
        watch.answer_deviation(system_actor(judged.place.site.pk), deviation)
    made = judged.tested(judged.made())
    subject = enter_patient(by=judged.by("sam"), identity=Identity("Demo", "Patient", "1970-01-01", "H99999"))
    lots = {"running": running.number, "filled": filled.number, "made": made.number, "subject": subject.pseudonym}
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: apt-get install chromium"
    with serving(committed_db, tmp_path) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield Tour(browser, address, judged, lots)
        browser.close()


PEOPLE = {
    "maya": "operator", "boss": "supervisor", "quentin": "qa_reviewer", "sam": "scheduler", "nora": "collection_nurse", "rex": "receiving",
    "wim": "second_person", "anna": "qc_analyst", "rolf": "qc_reviewer", "ruth": "qa_release", "tess": "treatment_centre",
    "erin": "process_engineer", "adm": "administrator", "ines": "inspector", "vic": "support",
}  # fmt: skip
"""One person of each role; equipment has no pages."""
MORE = {
    "maya": ["/lots/{running}/steps/A1.2/", "/lots/{running}/steps/A1.2/corrections/", "/lots/{running}/steps/A1.2/stop/", "/lots/{running}/"],
    "boss": ["/lots/{running}/", "/lots/{running}/steps/A1.2/leave-out/", "/lots/{running}/hold/"],
    "quentin": ["/lots/{made}/", "/lots/{made}/review/", "/lots/{running}/labels/", "/patients/{subject}/", "/patients/{subject}/erase/"],
    "anna": ["/lots/{made}/qc/"],
    "ruth": ["/lots/{made}/release/"],
}
"""Pages of a lot for whom they are made, beside what their navigation and first page offer."""
DIALOGS = {
    "maya": ("/lots/{filled}/steps/A1.2/", "#main-act a", "the sign dialog"),
    "boss": ("/lots/", ".more summary", "the menu"),
    "quentin": ("/lots/{made}/review/", "[data-audit]", "the audit drawer"),
}
"""What opens over a page: where, by pressing what, and what it is."""


def test_every_role_finds_its_pages_without_an_axe_finding_a_blocked_script_or_a_broken_answer(tour):
    from quality.roles import ROLES

    assert set(PEOPLE.values()) == set(ROLES) - {"equipment"}
    for name in PEOPLE:
        tab = tour.sign_in(name)
        offered = tour.offered(tab)
        tour.check(tab, f"{name}: /")
        assert offered, f"{name} is offered nothing"
        for path in offered:
            tour.look(tab, name, path)
        for path in MORE.get(name, ()):
            tour.look(tab, name, path.format(**tour.lots))
        if name in DIALOGS:
            path, opener, what = DIALOGS[name]
            tab.goto(tour.address + path.format(**tour.lots))
            tab.click(opener)
            tab.wait_for_selector("dialog[open], details[open]")
            settled(tab)
            tour.check(tab, f"{name}: {what}")
        tab.context.close()
    assert not tour.findings, "\n".join(tour.findings)
    assert len(tour.seen) >= 24, sorted(tour.seen)
