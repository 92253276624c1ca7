"""A passkey as the second factor of a session (ACC-03)."""

import json
from ipaddress import ip_network

import pytest

from mes.passkeys import sign_in, webauthn
from mes.passkeys.services import retire_passkey
from mes.people.models import PersonLock, UserSession
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from tests.builders.passkeys import UP, Device, enrol_passkey, passkey_of
from tests.builders.staff import open_site, signed_in

pytestmark = pytest.mark.django_db
ASKED = "/sign-in/second-factor/"


@pytest.fixture(autouse=True)
def as_in_production(settings):
    settings.SECOND_FACTOR_AT_SIGN_IN = True
    settings.CONTROLLED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def place():
    return open_site()


@pytest.fixture
def olga(place):
    return place.person("olga", "administrator")


def challenge(client) -> bytes:
    """What the page asks the device."""
    answer = client.post(ASKED, {"ask_passkey": "yes"})
    assert answer.status_code == 200, answer.content.decode()
    return webauthn.raw(answer.json()["publicKey"]["challenge"])


def send(client, answer: dict, **more):
    return client.post(ASKED, {"passkey": json.dumps(answer)} | more)


def is_let_in(client) -> bool:
    return client.get("/people/").status_code == 200


@pytest.mark.req("ACC-03", case="positive")
def test_a_passkey_opens_the_session_and_its_key_changes(place, olga):
    device = enrol_passkey(place, olga)
    client = signed_in(olga)
    before = client.session.session_key
    page = client.get("/people/", follow=True)
    assert "Use a passkey" in page.content.decode()
    assert send(client, device.answer(challenge(client)), next="/people/").headers["Location"] == "/people/"
    assert is_let_in(client)
    assert not UserSession.objects.filter(session_key=before).exists()


@pytest.mark.req("ACC-03", case="negative")
@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://records.example.evil"}, {"host": "evil.example"}, {"flags": UP}, {"kind": "webauthn.create"}, {"count": 0},
    ],
    ids=["another origin", "another site", "nobody verified", "another kind", "a counter that went back"],
)  # fmt: skip
def test_an_answer_that_proves_something_else_opens_nothing(place, olga, wrong):
    device = enrol_passkey(place, olga)
    client = signed_in(olga)
    refused = send(client, device.answer(challenge(client), **wrong))
    assert (refused.status_code, refused.headers.get("X-Refusal") in ("wrong_passkey", "passkey_unverified", "passkey_counter")) == (403, True)
    assert not is_let_in(client)
    with site_context(place.site.pk):
        assert SecurityEvent.objects.filter(kind="signing_refused", by=olga).count() == 1


@pytest.mark.req("ACC-03", case="negative")
def test_an_answer_fits_its_own_question_alone_and_once(place, olga):
    device = enrol_passkey(place, olga)
    first, second = signed_in(olga), signed_in(olga)
    answer = device.answer(challenge(first))
    challenge(second)
    assert send(second, answer).headers.get("X-Refusal") == "wrong_passkey"
    assert send(second, answer).headers.get("X-Refusal") == "not_asked"
    signing = device.answer(webauthn.challenge_of(bytes(32), bytes(32)))  # what signs a record opens no session
    challenge(second)
    assert send(second, signing).headers.get("X-Refusal") == "wrong_passkey"
    assert not is_let_in(second)
    assert send(first, answer).status_code == 302


@pytest.mark.req("ACC-03", case="negative")
def test_somebody_elses_and_a_retired_passkey_open_nothing(place, olga):
    otto, erik = place.person("otto", "qa_release"), place.person("erik", "administrator")
    hers, his = enrol_passkey(place, olga), enrol_passkey(place, otto)
    client = signed_in(olga)
    assert send(client, his.answer(challenge(client))).headers.get("X-Refusal") == "wrong_passkey"
    asked = challenge(client)
    kept = passkey_of(hers)
    retire_passkey(by=place.actor(erik), passkey_id=kept.pk, seen=kept.version, reason="lost")
    assert send(client, hers.answer(asked)).headers["Location"] == "/sign-in/"  # and the sessions that it may have opened have ended
    again = signed_in(olga)
    assert again.post(ASKED, {"ask_passkey": "yes"}).json()["code"] == "no_passkey"
    assert not is_let_in(client) and not is_let_in(again)


@pytest.mark.req("ACC-03", case="negative")
def test_wrong_answers_lock_the_person_out_together_with_wrong_codes(place, olga):
    enrol_passkey(place, olga)
    client, other = signed_in(olga), Device()
    said = [send(client, other.answer(challenge(client))).headers.get("X-Refusal") for _ in range(5)]
    assert said == ["wrong_passkey"] * 4 + ["locked_out"]
    assert PersonLock.objects.filter(user=olga, open=True).count() == 1


def test_a_question_that_is_too_old_is_asked_again(place, olga, monkeypatch):
    device = enrol_passkey(place, olga)
    client = signed_in(olga)
    asked = challenge(client)
    monkeypatch.setattr(sign_in, "ASKED_SECONDS", -1)
    assert send(client, device.answer(asked)).headers.get("X-Refusal") == "not_asked"


@pytest.mark.req("ACC-03", case="positive")
def test_who_has_neither_passkey_nor_code_may_enrol_a_passkey_before_a_second_person(place, olga):
    client = signed_in(olga)
    assert client.get("/me/passkeys/").status_code == 200
    assert client.post(ASKED, {"ask_passkey": "yes"}).json()["code"] == "no_passkey"
    assert not is_let_in(client)
