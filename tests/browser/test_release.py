"""Review, release, certificate, record, dispatch and infusion in a real browser: axe in both themes, and a review by keyboard."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from mes.people.setup import system_actor
from tests.builders.server import serving, settled
from tests.builders.staff import PASSWORD

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
SHOTS = os.environ.get("CARTULARY_SHOTS", "")
"""A folder to which every page looked at is drawn, when it is given."""


@dataclass
class Desk:
    """A browser before a running server: one lot in review with exceptions, one certified in stage 1, one made without fault."""

    browser: Browser
    address: str
    judged: object
    numbers: dict[str, str]
    code: str

    def open(self, name: str, path: str = "/", **options) -> Page:
        """A page on which this person signed in, at a path."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 800}, **options)
        page = context.new_page()
        page.goto(f"{self.address}/sign-in/")
        page.fill("[name=username]", self.judged.users[name].username)
        page.fill("[name=password]", PASSWORD)
        page.click("button.primary")
        page.wait_for_url(f"{self.address}/")
        page.goto(self.address + path)
        return page


def with_exceptions(judged):
    """A lot in review: a passed limit, a value that was changed, text in a number, a value past its alert level, a wrong scan."""
    from batches.execution import services as steps
    from batches.execution.models import Entry
    from batches.execution.queries.content import correction_subject

    other = judged.order()
    lot = judged.to_count()
    judged.enter(lot, "A1.2", viability="about 68")
    judged.fill_count(lot, viability="68.4")
    run = judged.run(lot, "A1.2")
    steps.consume(by=judged.by("maya"), step_run_id=run.pk, line="medium", scanned=f"CTL:C:{judged.container(other).identifier}")
    judged.choose_to_keep(lot)
    with judged.reading():
        entry = Entry.objects.select_related("by", "step_run__lot").get(lot=lot, parameter="volume", superseded_by=None)
        what = correction_subject(entry, entry.step_run, "110", "Read the wrong line of the scale")
    proof = judged.proof("maya", "jonas", what, "confirmed_transcription")
    steps.correct_value(by=judged.by("maya"), entry_id=entry.pk, text="110", reason="Read the wrong line of the scale", proof=proof)
    judged.perform(lot, "A1.2")
    judged.second(lot, "A1.2")
    lot = judged.finished(lot)
    judged.tested(lot)
    judged.assess(lot)
    return lot


@pytest.fixture
def desk(committed_db, tmp_path, settings) -> Iterator[Desk]:
    from quality.release import queries
    from quality.release.rendering import render_certificate, render_record
    from quality.review import services as review
    from tests.builders.judged import Judged

    settings.KEYS_FOLDER = tmp_path / "keys"
    judged = Judged("DSK")
    in_review = with_exceptions(judged)
    first = next(line for line in judged.lines(in_review) if line.finding.kind == "attempt")
    review.disposition(by=judged.by("quentin"), lot_id=in_review.pk, exception=first.key, decision="justified", comment="Typed again at once, the value is right")
    certified = judged.ready()
    decision = judged.certify(certified)
    jobs = system_actor(judged.place.site.pk)
    render_certificate(jobs, decision.pk)
    render_record(jobs, decision.pk)
    ready = judged.ready()
    with judged.reading():
        code = queries.code_of("DSK", queries.digest_of(queries.standing_decision(judged.fresh_in(certified))))
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: apt-get install chromium"
    with serving(committed_db, tmp_path) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield Desk(browser, address, judged, {"in_review": in_review.number, "certified": certified.number, "ready": ready.number}, code)
        browser.close()


def findings(page: Page) -> str:
    found = Axe().run(page, options=RULES)
    return "" if found.violations_count == 0 else found.generate_report()


def draw(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def test_axe_finds_nothing_on_review_release_and_certificate_and_a_review_is_signed(desk):
    at = desk.numbers
    pages = {
        "quentin": {
            "review-list": "/review/", "review": f"/lots/{at['in_review']}/review/", "review-change": f"/lots/{at['in_review']}/review/?e=4",
            "review-clean": f"/lots/{at['ready']}/review/", "review-entries": f"/lots/{at['in_review']}/review/entries/",
            "review-sign": f"/lots/{at['in_review']}/review/sign/", "record": f"/lots/{at['in_review']}/record/", "lot": f"/lots/{at['in_review']}/",
        },
        "ruth": {
            "release-closed": f"/lots/{at['in_review']}/release/", "release-ready": f"/lots/{at['ready']}/release/",
            "release-sign": f"/lots/{at['ready']}/release/stage-1/", "reject": f"/lots/{at['ready']}/release/reject/",
            "release-certified": f"/lots/{at['certified']}/release/", "certificate": f"/lots/{at['certified']}/certificate/", "verify": f"/verify/{desk.code}/",
        },
        "boss": {"dispatch": f"/lots/{at['certified']}/dispatch/", "dispatch-refused": f"/lots/{at['ready']}/dispatch/", "floor": "/floor/"},
        "tess": {"infusion": f"/lots/{at['certified']}/infusion/"},
    }  # fmt: skip
    found = {}
    for scheme in ("light", "dark"):
        for name, paths in pages.items():
            page = desk.open(name, color_scheme=scheme)
            for shot, path in paths.items():
                answer = page.goto(desk.address + path)
                settled(page)
                draw(page, f"{shot}-{scheme}")
                if answer.status != 200:
                    found[f"{shot} {scheme}"] = f"{path} answered {answer.status}: {page.inner_text('body')[:400]}"
                elif report := findings(page):
                    found[f"{shot} {scheme}"] = report
            page.context.close()
    assert not found, "\n".join(f"{name}: {report}" for name, report in found.items())
    stranger = desk.browser.new_context().new_page()
    stranger.goto(f"{desk.address}/verify/{desk.code}/")
    assert "This certificate holds" in stranger.inner_text("main") and at["certified"] in stranger.inner_text("main")
    assert "Demo hospital" not in stranger.inner_text("body") and not findings(stranger)
    decide_all_by_keyboard(desk)


def decide_all_by_keyboard(desk: Desk) -> None:
    """Every open exception decided with keys alone, then the review signed in the dialog."""
    page = desk.open("quentin", f"/lots/{desk.numbers['in_review']}/review/")
    for _ in range(10):
        if "need" not in page.inner_text(".say"):
            break
        page.locator("h1").click()
        page.keyboard.press("1")
        page.fill("[name=comment]", "Looked at with the record, no effect on the product")
        with page.expect_navigation():
            page.keyboard.press("Control+Enter")
    assert "All" in page.inner_text(".say") and "decided" in page.inner_text(".say")
    page.click("text=Sign the review")
    page.wait_for_selector("dialog[open]")
    draw(page, "review-dialog")
    page.fill("dialog [name=who]", desk.judged.users["quentin"].username)
    page.fill("dialog [name=secret]", PASSWORD)
    with page.expect_navigation():
        page.click("dialog button.primary")
    assert "Record and exceptions reviewed" in page.inner_text("aside[aria-label='Checks and signatures']")
