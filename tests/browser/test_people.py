"""People in a real browser, against a real web process: axe, the cover over an idle page, the drawer, life without script."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.builders.server import serving, settled
from tests.builders.staff import PASSWORD, PIN, open_site

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}


@dataclass
class Room:
    """A browser before a running server, and the people it knows."""

    browser: Browser
    address: str
    people: dict[str, str]

    def open(self, username: str, **options) -> Page:
        """A page on which this person signed in."""
        page = self.browser.new_context(viewport={"width": 1280, "height": 800}, **options).new_page()
        page.goto(f"{self.address}/sign-in/")
        page.fill("[name=username]", username)
        page.fill("[name=password]", PASSWORD)
        page.click("button.primary")
        page.wait_for_url(f"{self.address}/")
        return page


@pytest.fixture
def room(committed_db, tmp_path) -> Iterator[Room]:
    place = open_site()
    people = {
        name: str(place.person(name, role, full_name=full, badge=badge).pk)
        for name, role, full, badge in (
            ("maya", "operator", "Maya Okafor", "B-0001"),
            ("olga", "administrator", "Olga Brandt", ""),
            ("sofia", "supervisor", "Sofia de Wit", ""),
        )
    }
    people["counter"] = str(place.person("counter-7", "equipment", kind="device", password="", pin="").pk)
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: apt-get install chromium"
    with serving(committed_db, tmp_path) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield Room(browser, address, people)
        browser.close()


def findings(page: Page) -> str:
    found = Axe().run(page, options=RULES)
    return "" if found.violations_count == 0 else found.generate_report()


def test_no_page_on_people_has_an_axe_finding_or_a_blocked_script(room):
    blocked: list[str] = []
    visits = {
        "maya": ["/", "/me/", "/me/authenticator/", "/nowhere/", "/people/", "/switch/"],
        "olga": ["/people/", "/people/new/", f"/people/{room.people['maya']}/", f"/people/{room.people['counter']}/"],
        "sofia": ["/", "/audit/", f"/audit/stream/person/{room.people['maya']}/", "/audit/refusals/"],
        "": ["/sign-in/"],
    }
    for username, addresses in visits.items():
        page = room.open(username) if username else room.browser.new_page()
        page.on("console", lambda said: blocked.append(said.text) if "Content Security Policy" in said.text else None)
        for address in addresses:
            page.goto(room.address + address)
            settled(page)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                found = findings(page)
                assert not found, f"{address}, {scheme}\n{found}"
    assert blocked == []


@pytest.mark.req("ACC-05", case="positive")
def test_an_idle_page_is_covered_and_what_was_typed_is_there_after_unlocking(room):
    page = room.open("olga")
    page.clock.install()
    page.goto(f"{room.address}/people/new/")
    page.fill("[name=full_name]", "Jonas Lindqvist")
    page.clock.fast_forward("05:02")
    page.wait_for_selector("dialog[data-locked]")
    assert not findings(page), findings(page)
    page.keyboard.press("Escape")
    assert page.locator("dialog[data-locked]").is_visible()
    page.fill("#lock-who", "olga")
    page.fill("#lock-secret", "000000")
    page.click("dialog[data-locked] button.primary")
    page.wait_for_selector("#lock-error")
    page.fill("#lock-secret", PIN)
    page.click("dialog[data-locked] button.primary")
    page.wait_for_selector("dialog[data-locked]", state="detached")
    assert page.input_value("[name=full_name]") == "Jonas Lindqvist"
    page.fill("[name=username]", "jonas")
    page.select_option("[name=kind]", "person")
    page.click("main button.primary")
    page.wait_for_url("**/people/*-*/")
    assert page.inner_text("h1") == "Jonas Lindqvist"


@pytest.mark.req("ACC-05", case="negative")
def test_somebody_else_who_unlocks_does_not_get_what_was_typed(room):
    page = room.open("olga")
    page.clock.install()
    page.goto(f"{room.address}/people/new/")
    page.fill("[name=full_name]", "Jonas Lindqvist")
    page.clock.fast_forward("05:02")
    page.wait_for_selector("dialog[data-locked]")
    page.fill("#lock-who", "B-0001")
    page.fill("#lock-secret", PIN)
    page.click("dialog[data-locked] button.primary")
    page.wait_for_selector("#refusal")
    assert "Maya Okafor may not open this page" in page.inner_text("#refusal")
    assert "Jonas" not in page.content()


def test_panels_load_by_themselves_and_the_drawer_opens_over_the_page(room):
    page = room.open("sofia")
    page.wait_for_selector("text=No attempt was refused.")
    page.goto(f"{room.address}/people/{room.people['maya']}/")
    page.click("[data-audit]")
    page.wait_for_selector("dialog.drawer[open]")
    assert "Maya Okafor" in page.inner_text("#aud-title")
    assert not findings(page), findings(page)
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.drawer[open]", state="detached")


def test_everything_works_without_script(room):
    page = room.open("olga", java_script_enabled=False)
    page.click("text=Locked out")
    assert "Nobody is locked out." in page.inner_text("main")
    page.goto(f"{room.address}/people/{room.people['maya']}/")
    page.select_option("#grant-role", label="Supervisor")
    page.click("text=Give role")
    assert "is Supervisor from now on" in page.inner_text("body")
    page.click("[aria-label='Sign out']")
    assert "Sign in" in page.inner_text("h1")
