"""The signing page: what it shows, what it binds, whom it refuses."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone

from mes.people import services as people
from mes.people import totp
from mes.people.models import PersonLock, Role, User
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from mes.signatures.models import Signature, SigningIntent
from tests.builders.staff import PASSWORD, PIN, enrol_authenticator, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mes.signatures.signing_urls")]


@pytest.fixture
def maya(place):
    return place.person("maya", "operator", full_name="Maya Okafor", badge="B-0001")


@pytest.fixture
def page(place, maya):
    return Page(signed_in(maya), place)


class Page:
    """A signing page in one browser."""

    def __init__(self, client, place, meaning="performed"):
        self.client, self.place = client, place
        self.url = f"/sign/{place.role('operator').pk}/{meaning}/"

    def open(self):
        return self.intent_in(self.client.get(self.url))

    def intent_in(self, answer):
        return re.search(r'name="intent" value="([^"]+)"', answer.content.decode())[1]

    def sign(self, intent=None, **typed):
        return self.client.post(self.url, {"intent": intent or self.open(), "who": "maya", "secret": PIN} | typed)


def signatures(place):
    with site_context(place.site.pk):
        return list(Signature.objects.exclude(meaning="acknowledged_accountability").order_by("recorded_at"))


def refusals(place):
    with site_context(place.site.pk):
        return list(SecurityEvent.objects.values_list("code", flat=True))


@pytest.mark.req("SIG-01", case="positive")
@pytest.mark.req("SIG-04", case="positive")
def test_badge_and_pin_make_one_signature_with_name_user_name_role_meaning_and_time(place, page):
    answer = page.sign(who="B-0001")
    (signature,) = signatures(place)
    assert answer.status_code == 303 and answer.url == f"/signed/{signature.pk}/"
    assert (signature.full_name, signature.username, signature.meaning) == ("Maya Okafor", "maya", "performed")
    assert signature.meaning_text == "I did this step and recorded it as I did it."
    assert signature.site_time_zone == "Europe/Amsterdam"


@pytest.mark.req("SIG-15", case="positive")
def test_the_page_shows_what_is_signed_and_binds_exactly_that(place, page):
    text = page.client.get(page.url).content.decode()
    assert "Sign the role" in text and "batches.record_values" in text and "I did this step" in text
    intent = SigningIntent.objects.latest("expires_at")
    page.sign(intent=str(intent.pk))
    (signature,) = signatures(place)
    assert bytes(signature.payload_digest) == bytes(intent.payload_digest)


@pytest.mark.req("SIG-02", case="negative")
def test_being_signed_in_is_no_signature(place, page):
    assert page.sign(secret="").status_code == 403
    assert signatures(place) == []


@pytest.mark.req("SIG-02", case="negative")
def test_a_second_signature_asks_for_both_components_again(place, page):
    page.sign()
    assert page.sign(secret="").status_code == 403
    assert len(signatures(place)) == 1


@pytest.mark.req("SIG-02", case="positive")
def test_another_person_signs_at_my_station_as_themselves(place, page, maya):
    jonas = place.person("jonas", "operator", full_name="Jonas Lindqvist", pin="739164")
    assert page.sign(who="jonas", secret="739164").status_code == 303
    (signature,) = signatures(place)
    assert signature.signer_id == jonas.pk and signature.by_id == maya.pk
    assert page.client.session["_auth_user_id"] == str(maya.pk)


@pytest.mark.req("SIG-01", case="negative")
def test_a_wrong_pin_says_whose_it_is_not_and_how_many_tries_are_left(place, page):
    answer = page.sign(secret="111222")
    text = answer.content.decode()
    assert answer.status_code == 403
    assert "That PIN is not Maya Okafor" in text and "4 tries left" in text
    assert 'name="who" value="maya"' in text and "111222" not in text
    assert refusals(place) == ["wrong_secret"]


def test_the_page_after_a_wrong_pin_can_be_signed(place, page):
    answer = page.sign(secret="111222")
    assert page.sign(intent=page.intent_in(answer)).status_code == 303


@pytest.mark.req("SIG-12", case="negative")
def test_five_wrong_pins_lock_the_person_and_not_the_step(place, page):
    place.person("jonas", "operator", pin="739164")
    second = Page(signed_in(User.objects.get(username="jonas")), place)
    for _ in range(5):
        second.sign(secret="111222")
    assert PersonLock.objects.filter(user__username="maya", open=True).count() == 1
    assert second.sign(secret=PIN).status_code == 403
    assert second.sign(who="jonas", secret="739164").status_code == 303
    assert [s.username for s in signatures(place)] == ["jonas"]


@pytest.mark.req("SIG-01", case="negative")
def test_an_unknown_person_is_told_no_more_than_a_wrong_pin(place, page):
    answer = page.sign(who="nobody", secret="111222")
    assert answer.status_code == 403
    assert "That PIN does not belong to this person." in answer.content.decode()


@pytest.mark.req("SIG-01", case="negative")
def test_a_badge_of_somebody_without_a_role_here_names_nobody_and_tells_no_tries_and_no_lock(place, page):
    vera = place.person("vera", full_name="Vera Fremd", badge="CTL:B:VERA")
    unknown = told(page.sign(who="CTL:B:NOBODY", secret="111222"))
    for _ in range(6):
        answer = page.sign(who="CTL:B:VERA", secret="111222")
        assert answer.status_code == 403 and told(answer) == unknown
        assert "Vera" not in answer.content.decode() and "left" not in told(answer)
    # It is counted and locks all the same; nothing of it is said.
    assert PersonLock.objects.filter(user=vera, open=True).count() == 1
    assert told(page.sign(who="CTL:B:VERA", secret=PIN)) == unknown


def told(answer) -> str:
    """The sentence of the refusal."""
    return re.search(r'id="sign-error"[^>]*>(.*?)</', answer.content.decode(), re.S)[1].strip()


@pytest.mark.req("SIG-03", case="negative")
def test_an_intent_is_used_once(place, page):
    intent = page.open()
    page.sign(intent=intent)
    answer = page.sign(intent=intent)
    assert answer.status_code == 403 and "used before" in answer.content.decode()
    assert len(signatures(place)) == 1


@pytest.mark.req("SIG-03", case="negative")
def test_an_intent_ends_after_five_minutes(place, page):
    intent = page.open()
    SigningIntent.objects.filter(pk=intent).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    answer = page.sign(intent=intent)
    assert answer.status_code == 403 and "older than five minutes" in answer.content.decode()
    assert signatures(place) == []


@pytest.mark.req("SIG-03", case="negative")
def test_an_intent_of_another_session_is_refused(place, page):
    jonas = place.person("jonas", "operator", pin="739164")
    theirs = Page(signed_in(jonas), place).open()
    answer = page.sign(intent=theirs)
    assert answer.status_code == 403 and "opened by somebody else" in answer.content.decode()


@pytest.mark.req("SIG-03", case="negative")
def test_an_intent_of_another_station_is_refused(place, page, maya):
    intent = page.open()
    elsewhere = Page(signed_in(maya, client=Client()), place)
    assert elsewhere.client.cookies["cartulary_station"].value != page.client.cookies["cartulary_station"].value
    answer = elsewhere.sign(intent=intent)
    assert answer.status_code == 403 and "another station" in answer.content.decode()


@pytest.mark.req("SIG-03", case="negative")
def test_an_intent_for_another_meaning_is_refused(place, page):
    intent = page.open()
    other = Page(page.client, place, meaning="verified")
    answer = other.sign(intent=intent)
    assert answer.status_code == 403 and "belongs to something else" in answer.content.decode()
    assert signatures(place) == []


def test_an_intent_that_is_none_is_told_so(place, page):
    for intent in ("none", "01a20260-9c16-76fb-b6e1-2d15fe71802d"):
        assert "is not known" in page.sign(intent=intent).content.decode()


@pytest.mark.req("SIG-15", case="negative")
def test_what_changed_since_it_was_shown_is_not_signed(place, page):
    intent = page.open()
    _rename(place, "Operator, second shift")
    answer = page.sign(intent=intent)
    text = answer.content.decode()
    assert answer.status_code == 409 and "changed since it was shown" in text
    assert "Operator, second shift" in text
    assert signatures(place) == []
    assert page.sign(intent=page.intent_in(answer)).status_code == 303


@pytest.mark.req("SIG-15", case="positive")
def test_a_page_drawn_anew_after_a_wrong_pin_says_when_it_shows_something_else(place, page):
    intent = page.open()
    _rename(place, "Operator, second shift")
    assert "This changed since it was first shown" in page.sign(intent=intent, secret="111222").content.decode()


@pytest.mark.req("SIG-16", case="negative")
def test_a_device_does_not_sign(place, page):
    place.person("counter-7", "equipment", kind=User.DEVICE)
    answer = page.sign(who="counter-7")
    assert answer.status_code == 403 and "A device or a program never signs" in answer.content.decode()
    assert signatures(place) == []


@pytest.mark.req("SIG-16", case="negative")
def test_a_named_job_does_not_sign(place, page):
    assert page.sign(who="jobs@UTR").status_code == 403
    assert signatures(place) == []


@pytest.mark.req("SIG-07", case="negative")
def test_at_a_desk_the_pin_is_no_password(place, page):
    desk = Page(page.client, place, meaning="reviewed_result")
    assert desk.sign(secret=PIN).status_code == 403
    assert desk.sign(secret=PASSWORD).status_code == 303


# --- certifying: the second factor -----------------------------------------------------------------------------------


@pytest.fixture
def certify(place):
    ruben = place.person("ruben", "qa_release", full_name="Ruben Maas")
    page = Page(signed_in(ruben), place, meaning="certified_stage_1")
    page.secret = enrol_authenticator(place, ruben)
    return page


def code_now(page):
    return totp.code_at(page.secret, totp.step_now())


@pytest.mark.req("ACC-03", case="positive")
def test_certifying_takes_password_and_one_time_code(place, certify):
    assert certify.sign(who="ruben", secret=PASSWORD, code=code_now(certify)).status_code == 303
    assert "one-time code" in signatures(place)[0].auth_methods


@pytest.mark.req("ACC-03", case="negative")
def test_certifying_without_a_code_is_refused(place, certify):
    answer = certify.sign(who="ruben", secret=PASSWORD)
    assert answer.status_code == 403 and "six digits" in answer.content.decode()
    assert signatures(place) == []


@pytest.mark.req("ACC-03", case="negative")
def test_a_code_that_was_used_is_refused(place, certify):
    code = code_now(certify)
    certify.sign(who="ruben", secret=PASSWORD, code=code)
    answer = certify.sign(who="ruben", secret=PASSWORD, code=code)
    assert answer.status_code == 403 and "used before" in answer.content.decode()
    assert code not in answer.content.decode()
    assert len(signatures(place)) == 1


def test_who_has_no_authenticator_is_told_where_to_enrol(place, page):
    desk = Page(page.client, place, meaning="certified_final")
    answer = desk.sign(secret=PASSWORD, code="123456")
    assert answer.status_code == 403 and "none is enrolled" in answer.content.decode()


# --- reasons, screens ------------------------------------------------------------------------------------------------


@pytest.mark.req("AUD-03", case="negative")
def test_a_meaning_that_needs_a_reason_is_not_signed_without_one(place, page):
    hold = Page(page.client, place, meaning="placed_on_hold")
    answer = hold.sign(reason="  ")
    assert answer.status_code == 422 and "needs a reason" in answer.content.decode()
    assert signatures(place) == []
    assert hold.sign(reason="Bag W2 leaks").status_code == 303


def test_for_htmx_the_page_is_a_dialog_and_success_a_redirect(place, page):
    answer = page.client.get(page.url, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert text.lstrip().startswith("<dialog") and "<html" not in text
    done = page.client.post(page.url, {"intent": page.intent_in(answer), "who": "maya", "secret": PIN}, headers={"HX-Request": "true"})
    assert done.headers["HX-Redirect"].startswith("/signed/")


def test_nobody_signs_without_a_session(place):
    assert Client().get(f"/sign/{place.role('operator').pk}/performed/").url.startswith("/sign-in/")


@pytest.mark.req("ACC-02", case="negative")
def test_a_locked_session_opens_no_signing_page(place, page, maya):
    people.lock_person(by=place.setup, user_id=maya.pk, why="test")
    assert page.client.get(page.url).status_code == 302


def test_a_record_of_nowhere_is_not_found(place, page):
    assert page.client.get("/sign/01a20260-9c16-76fb-b6e1-2d15fe71802d/performed/").status_code == 404


def _rename(place, name):
    """Change the role that is signed, through a deed of the test."""
    from mes.events import Event
    from mes.records import door

    def rename(*, by):
        role = Role.objects.lock(place.role("operator").pk)
        role.name = name
        role.save()
        return role

    door._run(door.Deed(by=place.setup), Event.ROLE_DEFINED, rename, {})
