"""A guard goes while people work: the banner comes by itself, the alarm says which guard, and two persons of quality assess it. In a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from mes.people.setup import system_actor
from quality import watch
from tests.builders.server import serving, settled
from tests.builders.staff import PASSWORD
from tests.conftest import close_connections

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
SHOTS = os.environ.get("CARTULARY_SHOTS", "")
"""A folder to which every page looked at is drawn, when it is given."""
GUARD = "ALTER TABLE batches_attachment {} TRIGGER guard_change"
BANNER = "The audit trail or a guard of the database does not hold."


@dataclass
class Site:
    browser: Browser
    address: str
    judged: object
    number: str
    database: object

    def open(self, name: str, path: str, *, scheme: str = "light", width: int = 1280, height: int = 800) -> Page:
        page = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
        page.goto(f"{self.address}/sign-in/")
        page.fill("[name=username]", self.judged.users[name].username)
        page.fill("[name=password]", PASSWORD)
        page.click("button.primary")
        page.wait_for_url(f"{self.address}/")
        page.goto(self.address + path)
        settled(page)
        return page

    def set_guard(self, how: str) -> None:
        with self.database.connect("ADMIN_DATABASE_URL", autocommit=True) as admin:
            admin.execute(GUARD.format(how))
        with ThreadPoolExecutor(1) as aside:  # the browser's loop runs in this thread, and Django asks no database from a loop
            aside.submit(self.check).result()

    def check(self) -> None:
        """The scheduled check of the trail, as a worker makes it."""
        watch.trail_check(system_actor(self.judged.place.site.pk))
        close_connections()


@pytest.fixture
def site(committed_db, tmp_path, settings) -> Iterator[Site]:
    from tests.builders.judged import Judged

    settings.KEYS_FOLDER = tmp_path / "keys"
    settings.ANCHORS_FOLDER = tmp_path / "anchors"
    judged = Judged("GRD")
    ready = judged.ready()
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: apt-get install chromium"
    with serving(committed_db, tmp_path) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield Site(browser, address, judged, ready.number, committed_db)
        browser.close()


def look(page: Page, name: str, found: dict[str, str]) -> None:
    """A picture and axe, in both themes."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        if SHOTS:
            page.screenshot(path=str(Path(SHOTS) / f"{name}-{scheme}.png"))
        report = Axe().run(page, options=RULES)
        if report.violations_count:
            found[f"{name} {scheme}"] = report.generate_report()
    page.emulate_media(color_scheme="light")


@pytest.mark.req("AUD-05", case="negative")
def test_the_banner_comes_and_goes_by_itself_and_two_persons_read_what_was_found(site):
    found: dict[str, str] = {}
    page = site.open("sam", f"/lots/{site.number}/")
    page.evaluate("window.kept = true")
    expect(page.get_by_text(BANNER)).to_have_count(0)
    site.set_guard("DISABLE")
    expect(page.get_by_text(BANNER)).to_be_visible(timeout=75_000)
    assert page.evaluate("window.kept") is True, "the page was not loaded again"
    look(page, "guard-banner", found)

    alerts = site.open("ruth", "/alerts/?show=all")
    text = alerts.inner_text("main")
    assert "The guard of the table of “attachment” (batches_attachment) that refuses changes and removals" in text and "(now " not in text
    assert alerts.locator(".sub.clamp").first.evaluate("cell => getComputedStyle(cell).webkitLineClamp") == "2", "cut at the end of a line, not inside a word"
    look(alerts, "guard-alerts", found)
    alerts.get_by_role("link", name="a guard of the database does not stand").click()
    settled(alerts)
    exact = alerts.locator("details .mono")
    expect(exact).to_be_hidden()
    alerts.get_by_text("Details: what was found, to the letter").click()
    expect(exact).to_contain_text("(now ")
    look(alerts, "guard-alert", found)

    release = f"/lots/{site.number}/release/"
    quinn = site.open("quinn", release)
    look(quinn, "guard-release", found)
    assert "(now " not in quinn.inner_text("main"), "digests are opened on demand"
    for width, height in ((1280, 800), (820, 1180)):
        quinn.set_viewport_size({"width": width, "height": height})
        quinn.goto(f"{site.address}{release}assess-trail/")
        settled(quinn)
        expect(quinn.locator(".recap")).to_contain_text("that refuses changes and removals is switched off")
        expect(quinn.locator(".recap details .mono").first).to_be_hidden()
        look(quinn, f"assess-{width}", found)
    assert quinn.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing is cut off on the tablet"
    quinn.fill("[name=reason]", "The trigger was switched off for a minute; no attachment was written meanwhile.")
    quinn.fill("[name=who]", site.judged.users["quinn"].username)
    quinn.fill("[name=secret]", PASSWORD)
    quinn.locator("button.primary, button.sign").last.click()
    quinn.wait_for_url(f"{site.address}{release}*")
    settled(quinn)
    look(quinn, "guard-release-assessed", found)

    ruth = site.open("ruth", f"{release}confirm-trail/")
    expect(ruth.locator(".recap")).to_contain_text("no attachment was written meanwhile")
    look(ruth, "confirm-1280", found)

    site.set_guard("ENABLE ALWAYS")
    expect(page.get_by_text(BANNER)).to_have_count(0, timeout=75_000)
    assert page.evaluate("window.kept") is True
    assert not found, "\n".join(f"{name}: {report}" for name, report in found.items())
