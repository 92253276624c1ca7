"""Signing over the API is the ceremony of the page: a person, both components, one intent, one use."""

import uuid

import pytest
from django.test import Client

from mes.audit.models import AuditEntry
from mes.people.models import User
from mes.permissions import Permission
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from mes.signatures import manifest
from mes.signatures.models import Signature
from tests.builders.people import PIN, open_place
from tests.mes.api.test_views import post, refused, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.mes.api.views_for_tests")]


@pytest.fixture
def place():
    return open_place()


@pytest.fixture
def ben(place):
    place.person("ben", [Permission.READ_AUDIT, "batches.record_values"], role="Operator", full_name="Ben Adler", secrets=True)
    return signed_in("ben")


@pytest.fixture
def address(place):
    return f"/api/v1/people/{place.setup.user_id}/sign/"


def signatures(place) -> list[Signature]:
    with site_context(place.site.pk):
        return list(Signature.objects.exclude(meaning="acknowledged_accountability"))


@pytest.mark.req("SIG-15", case="positive")
def test_what_will_be_signed_is_shown_exactly(ben, address):
    shown = ben.get(address).json()
    assert shown["content"] == {"full_name": "Installation"}
    assert shown["meaning_text"] == "I did this step and recorded it as I did it."
    user = User.objects.get(pk=shown["record_id"])
    payload = manifest.payload_bytes("person/1", "mes.user", user.pk, user.version, user.site_id, shown["content"])
    assert shown["digest"] == manifest.digest(payload).hex()


@pytest.mark.req("SIG-01", case="positive")
@pytest.mark.req("SIG-04", case="positive")
def test_a_person_signs_with_both_components(ben, place, address):
    intent = ben.get(address).json()
    answer = post(ben, address, {"intent": intent["intent"], "username": "ben", "secret": PIN})
    assert answer.status_code == 201, answer.content
    signed = answer.json()
    assert (signed["full_name"], signed["username"], signed["meaning"]) == ("Ben Adler", "ben", "performed")
    assert signed["time_zone"] == "Europe/Berlin"
    assert signed["digest"] == intent["digest"]
    assert [str(s.pk) for s in signatures(place)] == [signed["id"]]
    with site_context(place.site.pk):
        assert AuditEntry.objects.get(events=["mes.signed"]).channel == "api"


@pytest.mark.req("SIG-02", case="negative")
@pytest.mark.parametrize("body", [{"secret": "000000"}, {"secret": PIN, "username": "nobody"}, {"secret": "correct horse battery 7"}])
def test_a_wrong_component_signs_nothing_and_is_kept(ben, place, address, body):
    intent = ben.get(address).json()["intent"]
    refused(post(ben, address, {"intent": intent, "username": "ben"} | body), 403, "wrong_secret")
    assert signatures(place) == []
    with site_context(place.site.pk):
        assert SecurityEvent.objects.get(code="wrong_secret").channel == "api"


def test_the_right_secret_may_follow_a_wrong_one_under_the_same_key(ben, place, address):
    body = {"intent": ben.get(address).json()["intent"], "username": "ben"}
    refused(post(ben, address, body | {"secret": "000000"}, "k1"), 403, "wrong_secret")
    assert post(ben, address, body | {"secret": PIN}, "k1").status_code == 201
    assert len(signatures(place)) == 1


@pytest.mark.req("SIG-03", case="negative")
def test_an_intent_signs_once(ben, place, address):
    body = {"intent": ben.get(address).json()["intent"], "username": "ben", "secret": PIN}
    assert post(ben, address, body, "k1").status_code == 201
    refused(post(ben, address, body, "k2"), 403, "intent_used")
    again = post(ben, address, body, "k1")
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert len(signatures(place)) == 1


@pytest.mark.req("SIG-03", case="negative")
def test_an_intent_of_another_person_or_of_nobody_signs_nothing(ben, place, address):
    place.person("mia", [Permission.READ_AUDIT, "batches.record_values"], secrets=True)
    intent = signed_in("mia").get(address).json()["intent"]
    refused(post(ben, address, {"intent": intent, "username": "ben", "secret": PIN}), 403, "intent_of_another")
    refused(post(ben, address, {"intent": str(uuid.uuid4()), "username": "ben", "secret": PIN}), 404, "no_intent")
    assert signatures(place) == []


@pytest.mark.req("SIG-15", case="negative")
def test_what_changed_after_it_was_shown_is_not_signed(ben, place, address):
    from mes.people.services import set_pin

    mia = place.person("mia", [Permission.READ_AUDIT, "batches.record_values"])
    address = f"/api/v1/people/{mia.user_id}/sign/"
    intent = ben.get(address).json()["intent"]
    set_pin(by=mia, user_id=mia.user_id, pin="739182")
    refused(post(ben, address, {"intent": intent, "username": "ben", "secret": PIN}), 409, "stale_screen")
    assert signatures(place) == []


@pytest.mark.req("SIG-16", case="negative")
def test_a_device_token_never_signs(place, address):
    _, token = place.device("cytometer-1", [Permission.READ_AUDIT, "batches.record_values"])
    place.person("ben", [Permission.READ_AUDIT, "batches.record_values"], secrets=True)
    client, header = Client(), {"Authorization": f"Bearer {token}"}
    refused(client.get(address, headers=header), 403, "only_people_sign")
    body = {"intent": str(uuid.uuid4()), "username": "ben", "secret": PIN}
    refused(post(client, address, body, **header), 403, "only_people_sign")
    assert signatures(place) == []
    with site_context(place.site.pk):
        kept = list(SecurityEvent.objects.values_list("code", "kind", "username"))
    assert kept == [("only_people_sign", "signing_refused", "cytometer-1")] * 2


@pytest.mark.req("SIG-16", case="negative")
def test_a_script_never_signs_with_the_secrets_of_a_person(place):
    from mes.errors import SigningRefused
    from mes.people.setup import system_actor
    from mes.signatures import ceremony

    ben = place.person("ben", [Permission.READ_AUDIT, "batches.record_values"], secrets=True)
    job = system_actor(place.site.pk)
    what = ceremony.subject(User.objects.get(pk=ben.user_id), "person/1", {"full_name": "Ben"})
    intent = ceremony.prepare(job, what, "performed")
    with pytest.raises(SigningRefused, match="A device or a program never signs"):
        ceremony.authenticate(by=job, intent_id=intent.pk, username="ben", secret=PIN)
    assert signatures(place) == []


def test_a_stranger_is_shown_nothing(address):
    refused(Client().get(address), 401, "not_signed_in")
