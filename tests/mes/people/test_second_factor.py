"""Signing in with a second factor: from outside the controlled networks, and for duties that administer or release."""

from ipaddress import ip_network

import pytest
from django.test import Client

from mes import env
from mes.people import second_factor, services, totp
from mes.people.models import PersonLock, UserSession
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from tests.builders.staff import PASSWORD, enrol_authenticator, open_site, signed_in

pytestmark = pytest.mark.django_db
INSIDE, OUTSIDE = "10.20.1.7", "203.0.113.9"
ASKED = "/sign-in/second-factor/"


@pytest.fixture(autouse=True)
def as_in_production(settings):
    settings.SECOND_FACTOR_AT_SIGN_IN = True
    settings.CONTROLLED_NETWORKS = [ip_network("10.20.0.0/16")]


@pytest.fixture
def place():
    return open_site()


def at(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


def leads_to(answer) -> str:
    return answer.headers.get("Location", "")


def code_of(secret: bytes) -> str:
    return totp.code_at(secret, totp.step_now())


@pytest.mark.req("ACC-03", case="positive")
def test_inside_the_controlled_network_an_operator_works_with_the_password(place):
    client = signed_in(place.person("maya", "operator"), client=at(INSIDE))
    assert client.get("/me/").status_code == 200


@pytest.mark.req("ACC-03", case="negative")
@pytest.mark.parametrize(("role", "address"), [("operator", OUTSIDE), ("supervisor", OUTSIDE), ("administrator", INSIDE), ("qa_release", INSIDE), ("administrator", OUTSIDE)])
def test_a_password_alone_opens_no_right_to_who_releases_administers_or_comes_from_outside(place, role, address):
    client = signed_in(place.person("maya", role), client=at(address))
    for page in ("/", "/me/", "/people/", "/lots/", "/audit/"):
        assert leads_to(client.get(page)).startswith(ASKED), page
    told = client.get("/api/v1/me/")
    assert (told.status_code, told.json()["code"]) == (403, "second_factor_needed")
    posted = client.post("/me/pin/", {"current": PASSWORD, "pin": "739146", "pin_again": "739146"})
    assert posted.status_code == 403
    assert "prove a second factor" in posted.content.decode()
    with site_context(place.site.pk):
        assert SecurityEvent.objects.filter(kind="authority_refused", code="second_factor_needed").count() == 2


@pytest.mark.req("ACC-03", case="positive")
def test_a_one_time_code_opens_the_session_once_and_its_key_changes(place):
    anna = place.person("anna", "administrator")
    secret = enrol_authenticator(place, anna)
    client = signed_in(anna, client=at(INSIDE))
    before = client.session.session_key
    page = client.get("/people/", follow=True)
    assert "Second factor" in page.content.decode()
    assert leads_to(client.post(ASKED, {"code": code_of(secret), "next": "/people/"})) == "/people/"
    assert client.get("/people/").status_code == 200
    assert client.session.session_key != before
    assert not UserSession.objects.filter(session_key=before).exists()
    again = signed_in(anna, client=at(INSIDE))
    refused = again.post(ASKED, {"code": code_of(secret)})
    assert refused.status_code == 403
    assert refused.headers.get("X-Refusal") == "used_code"
    assert again.get("/people/").status_code == 302


@pytest.mark.req("ACC-03", case="negative")
def test_wrong_codes_at_sign_in_lock_the_person_out(place):
    anna = place.person("anna", "administrator")
    enrol_authenticator(place, anna)
    client = signed_in(anna, client=at(INSIDE))
    said = [client.post(ASKED, {"code": "000000"}).headers.get("X-Refusal") for _ in range(5)]
    assert said == ["wrong_code"] * 4 + ["locked_out"]
    assert PersonLock.objects.filter(user=anna, open=True).count() == 1
    assert leads_to(client.get("/people/")).startswith("/sign-in/")


@pytest.mark.req("ACC-03", case="negative")
def test_who_has_no_authenticator_is_led_to_enrolling_one_and_to_nothing_else(place):
    qp, supervisor = place.person("otto", "qa_release"), place.person("sara", "supervisor")
    client = signed_in(qp, client=at(INSIDE))
    assert client.get("/", follow=True).redirect_chain[-1][0] == "/me/authenticator/"
    assert client.post("/me/authenticator/", {"current": PASSWORD}).status_code == 303
    with site_context(place.site.pk):
        secret = totp.unseal(qp.second_factors.get().secret)
    assert leads_to(client.get("/me/")).startswith(ASKED)
    typed = {"code": code_of(secret), "witness": qp.username, "witness_password": PASSWORD}
    assert client.post("/me/authenticator/", typed).status_code == 403  # nobody is their own second person
    assert leads_to(client.get("/me/")).startswith(ASKED)
    assert client.post("/me/authenticator/", typed | {"witness": supervisor.username}).status_code == 303
    assert client.get("/me/").status_code == 200


@pytest.mark.req("ACC-03", case="negative")
def test_a_role_that_releases_asks_for_the_factor_from_the_next_request_on(place):
    maya = place.person("maya", "operator")
    client = signed_in(maya, client=at(INSIDE))
    assert client.get("/me/").status_code == 200
    place.move(maya, "qa_release")
    assert leads_to(client.get("/me/")).startswith(ASKED)


@pytest.mark.req("ACC-03", case="negative")
def test_a_session_that_moves_outside_is_asked(place):
    client = signed_in(place.person("maya", "operator"), client=at(INSIDE))
    assert leads_to(client.get("/me/", REMOTE_ADDR=OUTSIDE)).startswith(ASKED)
    assert client.get("/me/", REMOTE_ADDR=f"::ffff:{INSIDE}").status_code == 200


@pytest.mark.req("ACC-03", case="negative")
def test_what_somebody_else_proved_does_not_count_for_who_comes_after(place):
    anna, otto = place.person("anna", "administrator"), place.person("otto", "qa_release")
    secret = enrol_authenticator(place, anna)
    client = signed_in(anna, client=at(INSIDE))
    client.post(ASKED, {"code": code_of(secret)})
    assert client.get("/people/").status_code == 200
    signed_in(otto, client=client)
    assert leads_to(client.get("/me/")).startswith(ASKED)


@pytest.mark.req("ACC-03", case="negative")
@pytest.mark.req("ACC-03", case="positive")
def test_over_the_api_the_code_goes_with_the_password(place):
    anna = place.person("anna", "administrator")
    secret = enrol_authenticator(place, anna)
    words, client = {"username": "anna", "password": PASSWORD}, at(INSIDE)

    def sign_in(**more):
        return client.post("/api/v1/session/", words | more, content_type="application/json")

    assert sign_in().json()["second_factor"] == "asked"
    assert client.get("/api/v1/me/").status_code == 403
    wrong = sign_in(code="000000")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_code")
    assert client.get("/api/v1/session/").json()["second_factor"] == "asked"
    assert sign_in(code=code_of(secret)).json()["second_factor"] == "proven"
    assert client.get("/api/v1/me/").status_code == 200


@pytest.mark.req("ACC-03", case="negative")
def test_a_retired_authenticator_ends_the_sessions_it_opened(place):
    anna, erik = place.person("anna", "administrator"), place.person("erik", "administrator")
    secret = enrol_authenticator(place, anna)
    client = signed_in(anna, client=at(INSIDE))
    client.post(ASKED, {"code": code_of(secret)})
    factor = anna.second_factors.get()
    services.retire_second_factor(by=place.actor(erik), factor_id=factor.pk, seen=factor.version, reason="lost on the train")
    assert leads_to(client.get("/people/")).startswith("/sign-in/")


@pytest.mark.parametrize("address", ["", "unix", "10.21.0.1", "::1"])
def test_an_address_that_is_none_or_elsewhere_is_outside(address):
    assert second_factor.is_outside(address)


@pytest.mark.req("ACC-03", case="negative")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"CARTULARY_SECOND_FACTOR_AT_SIGN_IN": "off"}, "CARTULARY_SECOND_FACTOR_AT_SIGN_IN is off"),
        ({"CARTULARY_CONTROLLED_NETWORKS": "0.0.0.0/0"}, "wider than any site"),
        ({"CARTULARY_CONTROLLED_NETWORKS": "the clean room"}, "is no network"),
    ],
)
def test_production_does_not_start_without_it_or_with_the_whole_world_inside(words, said):
    found = env.refusals(env.read({"CARTULARY_MODE": "production"} | words))
    assert any(said in sentence for sentence in found)
    assert not any(said in sentence for sentence in env.refusals(env.read({"CARTULARY_MODE": "production"})))


# --- who vouches for somebody else's factor -----------------------------------------------------------------------------


def enrolling(place, who, address):
    """A session of somebody without an authenticator, and what confirms the one begun in it."""
    client = signed_in(who, client=at(address))
    client.post("/me/authenticator/", {"current": PASSWORD})
    with site_context(place.site.pk):
        secret = totp.unseal(who.second_factors.get(active=True).secret)
    return client, {"code": code_of(secret), "witness_password": PASSWORD}


@pytest.mark.req("ACC-03", case="negative")
def test_two_passwords_from_outside_open_nothing_once_somebody_has_a_factor(place):
    otto, sara = place.person("otto", "qa_release"), place.person("sara", "supervisor")
    enrol_authenticator(place, place.person("anna", "administrator"))
    client, typed = enrolling(place, otto, OUTSIDE)
    refused = client.post("/me/authenticator/", typed | {"witness": sara.username})
    assert (refused.status_code, refused.headers.get("X-Refusal")) == (403, "witness_outside")
    assert leads_to(client.get("/me/")).startswith(ASKED)


@pytest.mark.req("ACC-03", case="negative")
@pytest.mark.req("ACC-03", case="positive")
@pytest.mark.parametrize("address", [INSIDE, OUTSIDE])
def test_who_has_an_authenticator_vouches_with_its_code(place, address):
    otto, sara = place.person("otto", "qa_release"), place.person("sara", "supervisor")
    secret = enrol_authenticator(place, sara)
    client, typed = enrolling(place, otto, address)
    typed |= {"witness": sara.username}
    assert client.post("/me/authenticator/", typed).headers.get("X-Refusal") == "code_missing"
    assert client.post("/me/authenticator/", typed | {"witness_code": "000000"}).headers.get("X-Refusal") == "wrong_code"
    assert client.post("/me/authenticator/", typed | {"witness_code": code_of(secret)}).status_code == 303
    assert client.get("/me/").status_code == 200


@pytest.mark.req("ACC-03", case="positive")
def test_the_first_factor_of_a_site_is_vouched_for_by_somebody_who_has_none_yet(place):
    otto, sara = place.person("otto", "qa_release"), place.person("sara", "supervisor")
    client, typed = enrolling(place, otto, OUTSIDE)
    assert client.post("/me/authenticator/", typed | {"witness": sara.username}).status_code == 303
