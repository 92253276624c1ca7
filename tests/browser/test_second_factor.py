"""Signing in with a second factor in a real browser, against a web process that asks for it."""

import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from mes.people import totp
from tests.browser.test_people import RULES
from tests.builders.server import serving
from tests.builders.staff import PASSWORD, enrol_authenticator, open_site


@pytest.mark.req("ACC-03", case="positive")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_after_the_password_the_page_asks_for_a_code_and_leads_on(committed_db, tmp_path, scheme):
    place = open_site()
    secret = enrol_authenticator(place, place.person("olga", "administrator", full_name="Olga Brandt"))
    with serving(committed_db, tmp_path, CARTULARY_SECOND_FACTOR_AT_SIGN_IN="on") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme).new_page()
        page.goto(f"{address}/sign-in/?next=/people/new/")
        page.fill("[name=username]", "olga")
        page.fill("[name=password]", PASSWORD)
        page.click("button.primary")
        page.wait_for_url("**/sign-in/second-factor/**")
        assert "Olga Brandt" in page.inner_text("main")
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, found.generate_report()
        page.screenshot(path=tmp_path / f"second-factor-{scheme}.png")
        page.fill("[name=code]", "000000")
        page.click("button.primary")
        assert "not the authenticator's" in page.inner_text("main")
        page.screenshot(path=tmp_path / f"second-factor-refused-{scheme}.png")
        page.fill("[name=code]", totp.code_at(secret, totp.step_now()))
        page.click("button.primary")
        page.wait_for_url("**/people/new/")  # where they wanted to go
        browser.close()
