"""The pages of the API's description in a real browser, under the strict policy: nothing is blocked, and a call can be tried."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

from tests.builders.server import serving


@pytest.fixture
def opened(committed_db, tmp_path):
    """The page of the description, and what the browser complained about."""
    complaints: list[str] = []
    with serving(committed_db, tmp_path) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        page.goto(f"{address}/api/v1/docs/")
        page.wait_for_selector(".opblock")
        yield page, complaints
        browser.close()


def test_the_description_is_drawn_and_a_call_can_be_tried_without_a_blocked_line(opened, tmp_path):
    page, complaints = opened
    assert page.locator(".opblock").count() >= 4
    page.locator(".operation-filter-input").fill("session")  # a long list is drawn as it is scrolled to
    session = page.locator(".opblock-get", has_text="/api/v1/session/").first
    session.locator(".opblock-summary-control").click()
    session.get_by_role("button", name="Try it out").click()
    session.get_by_role("button", name="Execute").click()
    answer = session.locator(".live-responses-table")
    answer.wait_for()
    assert '"signed_in": false' in answer.inner_text()
    page.locator(".opblock-post", has_text="/api/v1/session/").first.locator(".opblock-summary-control").click()
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".dialog-ux").wait_for()
    if os.environ.get("CARTULARY_PICTURES"):
        page.screenshot(path=f"{os.environ['CARTULARY_PICTURES']}/api-docs.png")
    assert complaints == []
