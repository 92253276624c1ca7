"""Signing is enabled by three records: identity, accountability, and the notice where the market asks for one (SIG-11)."""

import datetime as dt
import json
import uuid

import pytest
from django.test import Client, override_settings

from mes.errors import NotAllowed, RuleBroken, SigningRefused, StaleRecord
from mes.people import accountability, services
from mes.people.models import Acknowledgement, AuthorityNotice, IdentityCheck, User
from mes.permissions import Permission
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from mes.signatures import ceremony
from mes.signatures.accountability import subject_of
from mes.signatures.models import Signature
from mes.signatures.services import acknowledge_accountability, sign
from tests.builders.people import PASSWORD, PIN, open_place
from tests.builders.signing import acknowledge, check_identity, enable_signing

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 3, 2)


@pytest.fixture
def place():
    return open_place()


@pytest.fixture
def american():
    return open_place(jurisdiction="US")


def newcomer(place, name="ben"):
    """Somebody with rights and secrets and none of the three records."""
    return place.person(name, [Permission.READ_AUDIT, "batches.record_values"], full_name="Ben Adler", secrets=True, signs=False)


def entry_of(by):
    return ceremony.subject(User.objects.get(pk=by.user_id), "person/1", {"full_name": by.full_name})


def prove(by, what=None, meaning="performed", secret=PIN):
    intent = ceremony.prepare(by, what or entry_of(by), meaning)
    return ceremony.authenticate(by=by, intent_id=intent.pk, username=by.username, secret=secret)


def signed(place, meaning="performed"):
    with site_context(place.site.pk):
        return Signature.objects.filter(meaning=meaning).count()


def refused_with(code, words, by):
    with pytest.raises(SigningRefused, match=words) as refused:
        prove(by)
    assert refused.value.code == code


@pytest.mark.req("SIG-11", case="negative")
def test_nobody_signs_whose_identity_nobody_checked(place):
    ben = newcomer(place)
    refused_with("identity_not_verified", "Ben Adler cannot sign yet: nobody has recorded that their identity was checked", ben)
    with pytest.raises(SigningRefused, match="identity was checked"):
        prove(ben, subject_of(User.objects.get(pk=ben.user_id)), "acknowledged_accountability", PASSWORD)
    assert signed(place) == 0
    with site_context(place.site.pk):
        assert set(SecurityEvent.objects.values_list("code", flat=True)) == {"identity_not_verified"}


@pytest.mark.req("SIG-11", case="negative")
def test_nobody_signs_who_did_not_acknowledge_accountability(place):
    ben = newcomer(place)
    check_identity(place.setup, ben.user_id)
    refused_with("accountability_not_acknowledged", "the acknowledgement of accountability is not signed", ben)
    assert signed(place) == 0


@pytest.mark.req("SIG-11", case="negative")
def test_where_the_market_asks_for_a_notice_nobody_signs_before_it_is_recorded(american):
    ben = newcomer(american)
    enable_signing(american.setup, ben, PASSWORD)
    refused_with("notice_missing", r"is not recorded \(FDA, 21 CFR 11.100\(c\)\)", ben)
    admin = american.person("anna", [Permission.MANAGE_PEOPLE])
    services.record_notice(by=admin, sent_on=DAY, reference="ESIG-2026-0042")
    assert sign(by=ben, proof=prove(ben), what=entry_of(ben), meaning="performed", stream="person:x").full_name == "Ben Adler"


@pytest.mark.req("SIG-11", case="positive")
def test_with_identity_and_acknowledgement_signing_is_enabled(place):
    ben = newcomer(place)
    enable_signing(place.setup, ben, PASSWORD)
    sign(by=ben, proof=prove(ben), what=entry_of(ben), meaning="performed", stream="person:x")
    kept = Acknowledgement.objects.get(user_id=ben.user_id)
    with site_context(place.site.pk):
        signature = Signature.objects.select_related("payload").get(pk=kept.signature_id)
    content = json.loads(bytes(signature.payload.content))["content"]
    assert (kept.by_id, kept.text_version, signature.signer_id) == (ben.user_id, accountability.CURRENT, ben.user_id)
    assert content["text"] == list(accountability.TEXTS[accountability.CURRENT]) and content["username"] == "ben"
    assert signature.auth_methods == ["badge or user name", "password"]


@pytest.mark.req("SIG-11", case="negative")
def test_the_deed_that_signs_asks_again_whatever_the_ceremony_said(place, monkeypatch):
    ben = newcomer(place)
    check_identity(place.setup, ben.user_id)
    monkeypatch.setattr("mes.people.rules.check_signing_enabled", lambda *args, **more: None)
    proof = prove(ben)
    with pytest.raises(SigningRefused) as refused:
        sign(by=ben, proof=proof, what=entry_of(ben), meaning="performed", stream="person:x")
    assert refused.value.code == "accountability_not_acknowledged"
    assert signed(place) == 0


@pytest.mark.req("SIG-11", case="negative")
def test_a_newer_text_is_acknowledged_anew(place, monkeypatch):
    ben = newcomer(place)
    enable_signing(place.setup, ben, PASSWORD)
    monkeypatch.setitem(accountability.TEXTS, "2", ("I answer for more than before.",))
    proof = prove(ben, subject_of(User.objects.get(pk=ben.user_id)), "acknowledged_accountability", PASSWORD)
    monkeypatch.setattr(accountability, "CURRENT", "2")
    with pytest.raises(StaleRecord, match="newer text"):
        acknowledge_accountability(by=ben, proof=proof, text_version="1")
    refused_with("accountability_not_acknowledged", "acknowledgement", ben)
    acknowledge(ben, PASSWORD)
    assert prove(ben).user.pk == ben.user_id


@pytest.mark.req("SIG-11", case="negative")
def test_accountability_is_acknowledged_by_its_owner_once(place):
    ben, mia = newcomer(place), newcomer(place, "mia")
    check_identity(place.setup, ben.user_id)
    check_identity(place.setup, mia.user_id)
    what = subject_of(User.objects.get(pk=ben.user_id))
    intent = ceremony.prepare(ben, what, "acknowledged_accountability")
    proof = ceremony.authenticate(by=ben, intent_id=intent.pk, username="mia", secret=PASSWORD)
    with pytest.raises(NotAllowed, match="its owner alone"):
        acknowledge_accountability(by=ben, proof=proof, text_version=accountability.CURRENT)
    acknowledge(ben, PASSWORD)
    with pytest.raises(RuleBroken, match="signed this text already"):
        acknowledge(ben, PASSWORD)
    assert Acknowledgement.objects.count() == signed(place, "acknowledged_accountability") == 1


@pytest.mark.req("SIG-11", case="negative")
def test_nobody_checks_their_own_identity_and_nobody_without_the_right(place):
    ben = newcomer(place)
    trainer = place.person("tom", [Permission.RECORD_TRAINING])
    for by, user_id, code in ((trainer, trainer.user_id, "own_identity"), (ben, trainer.user_id, "not_your_role"), (ben, ben.user_id, "own_identity")):
        with pytest.raises(NotAllowed) as refused:
            services.verify_identity(by=by, user=User.objects.get(pk=user_id), means="passport")
        assert refused.value.code == code
    with pytest.raises(RuleBroken, match="Say how"):
        services.verify_identity(by=trainer, user=User.objects.get(pk=ben.user_id), means=" ")
    device, _ = place.device("gauge")
    with pytest.raises(RuleBroken, match="Only a person"):
        services.verify_identity(by=trainer, user=User.objects.get(pk=device.user_id), means="looked at it")
    assert IdentityCheck.objects.count() == 0


@pytest.mark.req("SIG-11", case="negative")
def test_a_notice_is_recorded_by_an_administrator_once_it_is_sent_and_where_one_is_asked_for(place, american):
    admin, other = american.person("anna", [Permission.MANAGE_PEOPLE]), american.person("olaf", [Permission.READ_AUDIT, "batches.record_values"])
    european = place.person("ella", [Permission.MANAGE_PEOPLE])
    tries = [
        (other, DAY, "ESIG-1", "not_your_role"),
        (admin, dt.date(2999, 1, 1), "ESIG-1", "notice_in_future"),
        (admin, DAY, "  ", "reference_missing"),
        (european, DAY, "ESIG-1", "no_notice_asked"),
    ]
    for by, sent_on, reference, code in tries:
        with pytest.raises(RuleBroken) as refused:
            services.record_notice(by=by, sent_on=sent_on, reference=reference)
        assert refused.value.code == code
    assert AuthorityNotice.objects.count() == 0


def test_a_site_is_opened_with_a_known_jurisdiction():
    with pytest.raises(RuleBroken, match="no profile of XX"):
        open_place(jurisdiction="XX")
    with pytest.raises(RuleBroken, match="with a point or with a comma"):
        open_place(decimal_sign=";")
    assert open_place(decimal_sign=",").site.decimal_sign == "," and open_place().site.decimal_sign == "."


# --- on pages and over the API ----------------------------------------------------------------------------------------


def browser(username):
    client = Client()
    client.post("/sign-in/", {"username": username, "password": PASSWORD})
    return client


def api(client, path, body):
    return client.post(path, json.dumps(body), content_type="application/json", headers={"Idempotency-Key": str(uuid.uuid4())})


@pytest.mark.req("SIG-11", case="positive")
def test_a_newcomer_is_enabled_on_pages(american):
    ben = newcomer(american)
    american.person("tom", [Permission.RECORD_TRAINING], secrets=True)
    american.person("anna", [Permission.MANAGE_PEOPLE], secrets=True)
    own = browser("ben")
    page = own.get("/me/").content.decode()
    assert "not checked" in page and "not acknowledged" in page and "Notice to FDA" in page
    assert browser("tom").post(f"/people/{ben.user_id}/identity/", {"means": "passport, in person"}).status_code == 303
    assert IdentityCheck.objects.get(user_id=ben.user_id).by.username == "tom"
    assert "Not recorded: nobody can sign" in browser("anna").get("/people/site/").content.decode()
    assert browser("anna").post("/people/site/", {"sent_on": "2026-03-02", "reference": "ESIG-2026-0042"}).status_code == 303
    shown = own.get("/me/accountability/").content.decode()
    assert "legally binding equivalent of my handwritten signature" in shown
    intent = shown.split('name="intent" value="')[1].split('"')[0]
    assert own.post("/me/accountability/", {"intent": intent, "who": "ben", "secret": PASSWORD}).status_code == 303
    page = own.get("/me/").content.decode()
    assert "not acknowledged" not in page and "not checked" not in page
    assert prove(ben).user.pk == ben.user_id


@pytest.mark.req("SIG-11", case="negative")
def test_a_page_refuses_the_signature_and_names_what_is_missing(place):
    newcomer(place)
    own = browser("ben")
    with override_settings(ROOT_URLCONF="tests.mes.signatures.signing_urls"):
        from mes.people.models import Role

        address = f"/sign/{Role.objects.first().pk}/performed/"
        intent = own.get(address).content.decode().split('name="intent" value="')[1].split('"')[0]
        answer = own.post(address, {"intent": intent, "who": "ben", "secret": PIN})
    assert answer.status_code in {403, 422} and "identity was checked" in answer.content.decode()
    assert signed(place) == 0


@pytest.mark.req("SIG-11", case="positive")
def test_a_newcomer_is_enabled_over_the_api(american):
    newcomer(american)
    for name, right in (("tom", Permission.RECORD_TRAINING), ("anna", Permission.MANAGE_PEOPLE)):
        american.person(name, [right], secrets=True)
    ben, tom, anna = browser("ben"), browser("tom"), browser("anna")
    assert ben.get("/api/v1/me/").json()["signing_enabled"] is False
    assert api(tom, "/api/v1/people/BEN/identity/", {"means": "passport"}).json()["checked_by"] == "tom"
    assert api(anna, "/api/v1/notices/", {"sent_on": "2026-03-02", "reference": "ESIG-1"}).json()["authority"] == "FDA"
    prepared = ben.get("/api/v1/me/accountability/sign/").json()
    assert prepared["content"]["text_version"] == accountability.CURRENT
    answer = api(ben, "/api/v1/me/accountability/sign/", {"intent": prepared["intent"], "username": "ben", "secret": PASSWORD})
    assert answer.json()["meaning"] == "acknowledged_accountability"
    assert ben.get("/api/v1/me/").json()["signing_enabled"] is True
    assert [line["reference"] for line in anna.get("/api/v1/notices/").json()] == ["ESIG-1"]
    assert [line["means"] for line in tom.get("/api/v1/people/ben/identity/").json()] == ["passport"]


@pytest.mark.req("SIG-11", case="negative")
def test_over_the_api_nobody_checks_themselves_and_only_who_may_records(place):
    newcomer(place)
    place.person("tom", [Permission.RECORD_TRAINING], secrets=True, signs=False)
    ben, tom = browser("ben"), browser("tom")
    assert api(ben, "/api/v1/people/tom/identity/", {"means": "passport"}).status_code == 403
    assert api(tom, "/api/v1/people/tom/identity/", {"means": "passport"}).json()["code"] == "own_identity"
    assert api(tom, "/api/v1/notices/", {"sent_on": "2026-03-02", "reference": "ESIG-1"}).status_code == 403
    assert IdentityCheck.objects.count() == AuthorityNotice.objects.count() == 0
