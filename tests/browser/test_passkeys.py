"""Passkeys in a real browser with a virtual authenticator (CDP WebAuthn): enrolled before a second person, then a lot is certified with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from playwright.sync_api import Page, sync_playwright

from tests.browser.test_release import Desk, draw, findings
from tests.builders.server import serving, settled
from tests.builders.staff import PASSWORD


@pytest.fixture
def desk(committed_db, tmp_path, settings) -> Iterator[Desk]:
    from tests.builders.judged import Judged

    settings.KEYS_FOLDER = tmp_path / "keys"
    judged = Judged("PKY")
    ready, other = judged.ready(), judged.ready()
    judged.place.witness()
    judged.users["adam"] = judged.place.person("adam.pky", "administrator")
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: apt-get install chromium"
    with serving(committed_db, tmp_path, name="localhost") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield Desk(browser, address, judged, {"ready": ready.number, "other": other.number}, "")
        browser.close()


def plug_in(page: Page) -> tuple[object, str]:
    """A security key that asks who is there, in this page's browser; returns the protocol session and the key's name."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "usb", "hasResidentKey": False, "hasUserVerification": True, "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }  # fmt: skip
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def asked(question):
    """What the database says; asked beside the browser's own loop, in which Django asks nothing."""

    def ask():
        try:
            return question()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as beside:
        return beside.submit(ask).result()


def enrol(desk: Desk, page: Page) -> None:
    page.goto(f"{desk.address}/me/passkeys/")
    look(desk, page, "passkeys-begin")
    page.fill("[name=current]", PASSWORD)
    page.click("button.primary")
    page.wait_for_selector("[data-passkey-make]")
    page.click("button.primary")
    assert "Fill in all of it first" in page.inner_text("[data-passkey-said]")
    page.fill("[name=name]", "Grey key")
    page.fill("[name=witness]", f"witness.{desk.judged.place.site.code.lower()}")
    page.fill("[name=witness_password]", "not the password")
    page.click("button.primary")
    page.wait_for_selector("#refusal")
    assert page.input_value("[name=name]") == "Grey key"
    look(desk, page, "passkeys-make")
    page.fill("[name=witness_password]", PASSWORD)
    page.click("button.primary")
    page.wait_for_selector("table >> text=Grey key")
    look(desk, page, "passkeys-enrolled")


def look(desk: Desk, page: Page, name: str) -> None:
    """Axe in both themes, and a picture where pictures are wanted."""
    settled(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        draw(page, f"{name}-{scheme}")
        found = findings(page)
        assert not found, f"{name}, {scheme}\n{found}"


@pytest.mark.req("ACC-03", case="positive")
@pytest.mark.req("SIG-01", case="positive")
@pytest.mark.req("SIG-02", case="negative")
def test_a_passkey_is_enrolled_before_a_second_person_and_certifies_a_lot(desk):
    from mes.passkeys.models import Passkey, PasskeyCounter
    from mes.signatures.models import Signature

    blocked: list[str] = []
    page = desk.open("ruth")
    page.on("console", lambda said: blocked.append(said.text) if "Content Security Policy" in said.text else None)
    session, key = plug_in(page)
    enrol(desk, page)
    passkey = asked(lambda: Passkey.objects.get(user=desk.judged.users["ruth"]))
    assert (passkey.name, passkey.active, passkey.transports) == ("Grey key", True, ["usb"])

    page.goto(f"{desk.address}/lots/{desk.numbers['ready']}/release/stage-1/")
    look(desk, page, "passkey-sign")
    page.fill("[name=who]", desk.judged.users["ruth"].username)
    page.fill("[name=secret]", "not the password")
    page.click("[data-passkey-sign]")
    page.wait_for_selector("[data-passkey-said]:not([hidden])")
    assert "4 tries left" in page.inner_text("[data-passkey-said]")
    look(desk, page, "passkey-refused")
    assert page.input_value("[name=who]") == desk.judged.users["ruth"].username, "what was typed is kept"

    session.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.fill("[name=secret]", PASSWORD)
    page.click("[data-passkey-sign]")
    page.wait_for_function("() => document.querySelector('[data-passkey-said]').textContent.startsWith('Nothing came from the device')")
    session.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})
    with page.expect_navigation():
        page.click("[data-passkey-sign]")
    assert "Ruth Demo" in page.inner_text("main") and "/certificate/" in page.url

    def certified():
        with desk.judged.reading():
            return Signature.objects.select_related("assertion").get(meaning="certified_stage_1")

    made = asked(certified)
    assert made.auth_methods == ["badge or user name", "password", "passkey"]
    assert bytes(made.assertion.credential_id) == bytes(passkey.credential_id)
    assert asked(lambda: PasskeyCounter.objects.get(passkey=passkey)).count > passkey.sign_count
    copied_key_is_refused(desk, page, session, key)
    retired_key_is_not_asked(desk, page)
    assert blocked == []


def copied_key_is_refused(desk: Desk, page: Page, session, key: str) -> None:
    """A copy of the key whose counter stands where it stood before: refused, and the person is told whom to tell."""
    from mes.passkeys.models import Passkey

    (held,) = session.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]
    session.send("WebAuthn.removeCredential", {"authenticatorId": key, "credentialId": held["credentialId"]})
    session.send("WebAuthn.addCredential", {"authenticatorId": key, "credential": held | {"signCount": 0}})
    page.goto(f"{desk.address}/lots/{desk.numbers['other']}/release/stage-1/")
    page.fill("[name=who]", desk.judged.users["ruth"].username)
    page.fill("[name=secret]", PASSWORD)
    with page.expect_navigation():
        page.click("[data-passkey-sign]")
    assert page.locator("#sign-error").get_attribute("data-code") == "passkey_counter"
    look(desk, page, "passkey-copied")
    assert asked(lambda: Passkey.objects.get(user=desk.judged.users["ruth"])).suspect


def retired_key_is_not_asked(desk: Desk, page: Page) -> None:
    """The administrator sees the suspicion and retires the passkey; then the device is not even asked."""
    ruth = desk.judged.users["ruth"]
    admin = desk.open("adam", f"/people/{ruth.pk}/passkeys/")
    assert "There may be a copy" in admin.inner_text("table")
    look(desk, admin, "passkeys-of-person")
    admin.click("table summary")
    admin.fill("table [name=reason]", "There may be a copy")
    admin.click("table form button")
    admin.wait_for_selector("text=The passkey is retired")
    page.goto(f"{desk.address}/lots/{desk.numbers['other']}/release/stage-1/")
    page.fill("[name=username]", ruth.username)  # its owner's sessions ended with it
    page.fill("[name=password]", PASSWORD)
    page.click("button.primary")
    page.wait_for_selector("[name=who]")
    page.fill("[name=who]", ruth.username)
    page.fill("[name=secret]", PASSWORD)
    page.click("[data-passkey-sign]")
    page.wait_for_function("() => document.querySelector('[data-passkey-said]').textContent.startsWith('No passkey of yours')")
