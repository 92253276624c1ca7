"""The component layer in a real browser: axe in both themes, scanner, keypad, one post a value, no connection.

The gallery has no database behind it, so these pages are served from a thread of this process; journeys run against real processes.
"""

import re
import shutil
import threading
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from playwright.sync_api import Browser, Page, Route, sync_playwright

from mes.web import gallery

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
STEP = "/ui/operator-step/"
RECORDED = (
    '<div class="param" id="param-vol" data-param="vol" data-label="Bag volume"><form class="field-form" method="post" action="/record" hx-post="/record"'
    ' hx-trigger="change, submit" hx-target="closest .param" hx-swap="outerMorph">'
    '<div><label class="nm" for="in-vol">Bag volume</label><div class="rec">Recorded {value}</div></div>'
    '<span></span><div class="withunit"><input class="input" id="in-vol" name="value" value="{value}" data-number inputmode="decimal"></div>'
    '<div class="unrec" hidden>Not recorded.</div></form></div>'
)


class Threads(ThreadingMixIn, WSGIServer):
    """One thread a connection: a browser holds idle ones open."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *words: object) -> None:
        """Nothing: the browser asks for forty files a page."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with override_settings(ROOT_URLCONF="mes.web.urls", ALLOWED_HOSTS=["127.0.0.1"], DEBUG=True):
        server = make_server("127.0.0.1", 0, StaticFilesHandler(WSGIHandler()), server_class=Threads, handler_class=Quiet)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    yield page
    page.close()


class Desk:
    """A step page whose posts are answered here, so that what the page sends can be counted."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.posts, self.scans, self.connected = page, [], [], True
        page.route("**" + STEP, self.step)
        page.route("**/record", self.record)
        page.route("**/scan", self.scan)
        page.goto(address + STEP)

    def step(self, route: Route) -> None:
        answer = route.fetch()
        form = '<form data-scan-form action="/scan" method="post" hx-post="/scan" hx-swap="none" hidden><input name="code"></form><div class="params">'
        # A busy test machine types slower than a scanner: the station's own setting widens the burst.
        route.fulfill(
            response=answer,
            body=answer.text()
            .replace("<body ", '<body data-scan-gap="120" ')
            .replace('hx-post="#"', 'hx-post="/record"')
            .replace('<div class="params">', form),
        )

    def record(self, route: Route) -> None:
        if not self.connected:
            return route.abort()
        self.posts.append(re.search(r"value=([^&]*)", route.request.post_data).group(1))
        return route.fulfill(content_type="text/html", body=RECORDED.replace("{value}", self.posts[-1]))

    def scan(self, route: Route) -> None:
        self.scans.append(route.request.post_data)
        route.fulfill(content_type="text/html", body="")

    def leave(self) -> None:
        self.page.focus("#in-vcd")
        self.page.wait_for_timeout(400)


@pytest.fixture
def desk(page: Page, address: str) -> Desk:
    return Desk(page, address)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["", *gallery.SHELLS])
def test_axe_finds_nothing(browser, address, name, scheme):
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 800})
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address + "/ui/" + (name and name + "/"))
    page.wait_for_timeout(200)
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "the page is wider than the screen"
    assert said == [], "the policy or a script complained"
    page.close()


@pytest.mark.parametrize("name", ["operator-step", "operator-out-of-limit", "operator-sign", "operator-locked"])
def test_what_a_glove_touches_is_at_least_56_pixels(page, address, name):
    page.goto(f"{address}/ui/{name}/")
    small = page.evaluate(
        "[...document.querySelectorAll('a,button,input:not([type=hidden]):not([type=radio]),select,textarea')]"
        ".filter(e => e.offsetParent && !e.matches('.skip'))"
        ".map(e => [e.textContent.trim(), Math.round(e.getBoundingClientRect().height)]).filter(e => e[1] < 56)"
    )
    assert small == []


def test_a_scan_goes_to_the_page_and_leaves_the_field_as_it_was(desk):
    desk.page.focus("#in-via")
    desk.page.keyboard.type("SLD-8841")
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_timeout(300)
    assert desk.scans == ["code=SLD-8841"]
    assert desk.page.input_value("#in-via") == "82.4"
    assert desk.posts == []


def test_the_same_label_twice_within_two_seconds_is_once(desk):
    for _ in range(2):
        desk.page.keyboard.type("SLD-8841")
        desk.page.keyboard.press("Enter")
        desk.page.wait_for_timeout(200)
    assert len(desk.scans) == 1


def test_slow_typing_is_no_scan(desk):
    desk.page.focus("#in-vol")
    desk.page.keyboard.type("2041", delay=300)
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_timeout(400)
    assert desk.scans == [] and desk.posts == ["2041"]


def test_the_keypad_writes_and_the_value_is_sent_once_when_it_is_left(desk):
    desk.page.click("a:has-text('Next: bag volume')")
    for key in "204":
        desk.page.click(f"[data-key='{key}']")
    assert desk.page.input_value("#in-vol") == "204" and desk.posts == []
    assert "Within limits" in desk.page.inner_text("[data-entry]")
    desk.leave()
    desk.page.focus("#in-vol")
    desk.leave()
    assert desk.posts == ["204"]


def test_enter_and_leaving_are_one_post(desk):
    desk.page.fill("#in-vol", "199")
    desk.page.press("#in-vol", "Enter")
    desk.page.wait_for_timeout(400)
    desk.leave()
    assert desk.posts == ["199"]


def test_without_a_connection_fields_lock_and_the_text_stays_unrecorded(desk):
    desk.connected = False
    desk.page.fill("#in-vol", "205")
    desk.leave()
    assert desk.page.input_value("#in-vol") == "205"
    assert desk.page.is_visible("#param-vol .unrec") and desk.page.is_visible(".gonenote")
    assert desk.page.evaluate("document.getElementById('in-vol').readOnly")
    assert "No connection" in desk.page.inner_text(".lotband .st.gone")
    desk.connected = True
    desk.page.evaluate("dispatchEvent(new Event('online'))")
    desk.page.wait_for_timeout(300)
    assert desk.posts == [], "nothing is sent behind the person's back"
    assert desk.page.evaluate("document.activeElement.id") == "in-vol"
    desk.leave()
    assert desk.posts == ["205"] and not desk.page.is_visible("#param-vol .unrec")


def test_a_badge_in_a_signing_dialog_never_signs(page, address):
    page.goto(address + "/ui/operator-locked/")
    page.evaluate("document.body.dataset.scanGap = '120'")
    page.focus("#lock-who")
    page.keyboard.type("BADGE-0042")
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    assert page.input_value("#lock-who") == "BADGE-0042"
    assert page.evaluate("document.activeElement.id") == "lock-secret"
    assert page.is_visible("dialog[data-locked]")


def test_escape_does_not_open_a_locked_tablet(page, address):
    page.goto(address + "/ui/operator-locked/")
    page.keyboard.press("Escape")
    assert page.is_visible("dialog[data-locked]")


@pytest.mark.parametrize("width", [1600, 1280, 1024, 640])
def test_the_navigation_never_slides_under_the_search_box(browser, address, width):
    page = browser.new_page(viewport={"width": width, "height": 700})
    page.goto(f"{address}/ui/list/")
    nav, end = page.locator(".bar nav").bounding_box(), page.locator(".bar .end").bounding_box()
    assert nav["x"] + nav["width"] <= end["x"] or nav["y"] >= end["y"] + end["height"]
    page.focus(".more summary")
    page.keyboard.press("Enter")
    last = page.locator(".more").get_by_role("link", name="Audit trail")
    assert last.is_visible() and last.bounding_box()["y"] < 700
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("Escape")
    assert not last.is_visible()
    page.close()


def test_the_chosen_theme_is_kept(page, address):
    page.goto(address + "/ui/")
    page.click(".bar [data-theme-toggle]")
    chosen = page.evaluate("document.documentElement.dataset.theme")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == chosen
