"""The laboratory, deviations and alerts in a real browser: axe in both themes, keyboard alone, a row recorded as it is left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import Browser, Page, sync_playwright

from batches.lots.models import Lot
from mes.people.setup import system_actor
from quality import watch
from tests.builders.registers import move_clock
from tests.builders.server import serving, settled
from tests.builders.staff import PASSWORD

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
SHOTS = os.environ.get("CARTULARY_SHOTS", "")
"""A folder to which every page looked at is drawn, when it is given."""


@dataclass
class Room:
    """A browser before a running server with one lot in the laboratory."""

    browser: Browser
    address: str
    lab: object
    lot: Lot

    def ask(self, question: Callable[[], object]):
        """The answer of the database, asked in a thread of its own: the browser's loop runs in this one."""

        def answer():
            try:
                return question()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(answer).result()

    def open(self, name: str, path: str = "/", **options) -> Page:
        """A page on which this person signed in, at a path."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 800}, **options)
        page = context.new_page()
        page.goto(f"{self.address}/sign-in/")
        page.fill("[name=username]", self.lab.users[name].username)
        page.fill("[name=password]", PASSWORD)
        page.click("button.primary")
        page.wait_for_url(f"{self.address}/")
        page.goto(self.address + path)
        return page


@pytest.fixture
def room(committed_db, tmp_path, settings) -> Iterator[Room]:
    from tests.builders.laboratory import Laboratory

    settings.KEYS_FOLDER = tmp_path / "keys"
    lab = Laboratory("BRW")
    lot = lab.received(lab.to_count())
    lab.enter(lot, "A1.2", viability="68.4")
    move_clock(hours=24 * 6)
    for criterion, text in (("appearance", None), ("potency_a", None), ("potency_b", None), ("subset", None)):
        lab.tested(lot, criterion, text)
    lab.tested(lot, "endotoxin", "0.62")
    lab.tested(lot, "sterility", "no growth", kind="interim", interim_day=6)
    lab.corrected(lab.tested(lot, "dose", "7.9e6"), "7.1e6", unit="CAR+ cells")
    for deviation in lab.deviations():
        watch.answer_deviation(system_actor(lab.place.site.pk), deviation.pk)
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: apt-get install chromium"
    with serving(committed_db, tmp_path) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield Room(browser, address, lab, lot)
        browser.close()


def findings(page: Page) -> str:
    found = Axe().run(page, options=RULES)
    return "" if found.violations_count == 0 else found.generate_report()


def draw(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_quality(room, scheme):
    lot, lab = room.lot, room.lab
    deviation, alert, sample = room.ask(lambda: (lab.deviations(lot)[0], lab.alerts()[0], lab.sample(lot)))
    pages = {
        "ana": {
            "qc": "/qc/", "qc-sample": f"/qc/{sample.identifier}/", "qc-results": f"/lots/{lot.number}/qc/?criterion=endotoxin",
            "qc-enter": f"/lots/{lot.number}/qc/?criterion=viability", "qc-dose": f"/lots/{lot.number}/qc/?criterion=dose",
            "qc-sterility": f"/lots/{lot.number}/qc/?criterion=sterility",
        },
        "rea": {"qc-review": f"/qc/{sample.identifier}/review/"},
        "quinn": {
            "deviations": "/deviations/", "deviation": f"/deviations/{deviation.number}/", "alerts": "/alerts/", "alert": f"/alerts/{alert.pk}/",
            "home-qa": "/",
            "specification": "/specifications/FLOOR-REL/v/1.0/",
        },
        "erin": {"specifications": "/specifications/", "specification-import": "/specifications/import/"},
    }  # fmt: skip
    found = {}
    for name, paths in pages.items():
        page = room.open(name, color_scheme=scheme)
        for shot, path in paths.items():
            answer = page.goto(room.address + path)
            settled(page)
            assert answer.status == 200, (path, answer.status)
            draw(page, f"{shot}-{scheme}")
            if report := findings(page):
                found[path] = report
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{path} is {wide} px too wide"
        page.context.close()
    assert not found, "\n".join(f"{path}: {report}" for path, report in found.items())


def test_a_value_in_a_row_is_recorded_by_keyboard_alone_and_shown_against_its_limit(room):
    page = room.open("ana", f"/lots/{room.lot.number}/qc/")
    page.focus("#in-viability")
    page.keyboard.type("88.7")
    page.keyboard.press("Tab")
    page.wait_for_selector("#qc-said .note")
    row = page.locator("tr", has_text="Viability")
    row.get_by_text("Meets").wait_for()
    assert "88.7" in row.inner_text() and row.locator("svg.gauge").count() == 1
    assert room.ask(lambda: room.lab.table(room.lot))["viability"].result.value_text == "88.7"


def test_a_refused_row_keeps_what_was_typed_and_says_how_to_type_it(room):
    page = room.open("ana", f"/lots/{room.lot.number}/qc/")
    page.fill("#in-viability", "1,234")
    page.keyboard.press("Tab")
    page.get_by_text("can be read as 1.234 or as 1234").wait_for()
    assert page.input_value("#in-viability") == "1,234"
    assert room.ask(lambda: room.lab.table(room.lot))["viability"].result is None


def test_a_review_is_signed_in_the_dialog_over_the_page(room):
    page = room.open("rea", f"/qc/{room.ask(lambda: room.lab.sample(room.lot)).identifier}/")
    page.click(".head a.primary")
    page.wait_for_selector("dialog[open]")
    assert "0.62" in page.inner_text("dialog") and "Above limit" in page.inner_text("dialog")
    draw(page, "qc-review-dialog")
    page.fill("#sign-who", room.lab.users["rea"].username)
    page.fill("#sign-secret", PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_text("Signed by Rea Demo").first.wait_for()
    assert room.ask(lambda: room.lab.table(room.lot))["endotoxin"].reviewed


def test_without_script_a_result_is_recorded_and_an_alert_acknowledged(room):
    page = room.open("ana", f"/lots/{room.lot.number}/qc/?criterion=viability", java_script_enabled=False)
    page.fill("aside input[name=value]", "66.0")
    page.select_option("aside select[name=evidence]", "measured")
    page.click("text=Record result")
    assert page.get_by_text("Below limit").first.is_visible()
    boss = room.open("boss", f"/alerts/{room.ask(room.lab.alerts)[0].pk}/", java_script_enabled=False)
    boss.click("text=Acknowledge")
    assert boss.get_by_text("Acknowledged").first.is_visible()
