"""Signing in another person's session from outside the controlled networks: the signer proves a second factor of their own. ACC-03."""

import json
from ipaddress import ip_network

import pytest
from django.test import Client

from mes.passkeys.webauthn import raw
from mes.people import totp
from mes.people.models import User
from mes.records.context import site_context
from mes.signatures import ceremony
from tests.builders.passkeys import enrol_passkey
from tests.builders.staff import PIN, enrol_authenticator, signed_in
from tests.mes.signatures.signing_urls import subject
from tests.mes.signatures.test_pages import Page, signatures

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mes.signatures.signing_urls")]
INSIDE, OUTSIDE = "10.20.1.7", "203.0.113.9"


@pytest.fixture(autouse=True)
def as_in_production(settings):
    settings.SECOND_FACTOR_AT_SIGN_IN = True
    settings.CONTROLLED_NETWORKS = [ip_network("10.20.0.0/16")]


@pytest.fixture
def secrets(place):
    """Of the authenticators of two operators."""
    people = {name: place.person(name, "operator", full_name=f"{name.title()} Test") for name in ("maya", "jonas")}
    return {name: enrol_authenticator(place, user) for name, user in people.items()}


def code_of(secret: bytes) -> str:
    return totp.code_at(secret, totp.step_now())


def page_at(place, secrets, address: str) -> Page:
    """Maya's session at this address, its own factor proven where it is asked for."""
    client = signed_in(User.objects.get(username="maya"), client=Client(REMOTE_ADDR=address))
    if address == OUTSIDE:
        assert client.post("/sign-in/second-factor/", {"code": code_of(secrets["maya"])}).status_code == 302
    return Page(client, place)


@pytest.mark.req("ACC-03", case="negative")
@pytest.mark.req("SIG-01", case="negative")
def test_outside_another_person_does_not_sign_with_a_pin_alone(place, secrets):
    page = page_at(place, secrets, OUTSIDE)
    answer = page.sign(who="jonas")
    assert (answer.status_code, answer.headers["X-Refusal"]) == (403, "code_missing")
    assert "outside the site&#x27;s own networks, and it is not Jonas Test who is signed in" in answer.content.decode()
    assert page.sign(who="jonas", code="000000").headers["X-Refusal"] == "wrong_code"
    assert signatures(place) == []


@pytest.mark.req("ACC-03", case="positive")
def test_outside_another_person_signs_with_pin_and_code_and_the_signature_says_so(place, secrets):
    page = page_at(place, secrets, OUTSIDE)
    assert 'name="code"' in page.client.get(page.url).content.decode()
    assert page.sign(who="jonas", code=code_of(secrets["jonas"])).status_code == 303
    assert signatures(place)[0].auth_methods == ["badge or user name", "signing PIN", "one-time code"]


@pytest.mark.req("ACC-03", case="positive")
def test_outside_another_person_signs_with_pin_and_passkey(place, secrets):
    page, jonas = page_at(place, secrets, OUTSIDE), User.objects.get(username="jonas")
    device = enrol_passkey(place, jonas)
    intent = page.open()
    asked = page.sign(intent=intent, who="jonas", ask_passkey="yes").json()
    assert "publicKey" in asked, asked
    said = device.answer(raw(asked["publicKey"]["challenge"]))
    assert page.sign(intent=intent, who="jonas", passkey=json.dumps(said)).status_code == 303
    assert signatures(place)[0].auth_methods == ["badge or user name", "signing PIN", "passkey"]


@pytest.mark.req("ACC-03", case="positive")
def test_the_sessions_own_person_proved_it_already_and_inside_nobody_is_asked(place, secrets):
    assert page_at(place, secrets, OUTSIDE).sign(who="maya").status_code == 303
    inside = page_at(place, secrets, INSIDE)
    assert 'name="code"' not in inside.client.get(inside.url).content.decode()
    assert inside.sign(who="jonas").status_code == 303


@pytest.mark.req("ACC-03", case="negative")
def test_who_acts_from_nowhere_is_outside(place, secrets):
    by = place.actor(User.objects.get(username="maya"))
    with site_context(place.site.pk):
        what = subject(place.role("operator").pk)
    intent = ceremony.prepare(by, what, "performed")
    with pytest.raises(ceremony.SigningRefused) as refusal:
        ceremony.authenticate(by=by, intent_id=intent.pk, username="jonas", secret=PIN)
    assert refusal.value.code == "code_missing"
