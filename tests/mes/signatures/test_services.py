"""sign(): the signature, its exact bytes and the act it is part of are one deed; what was signed stays provable."""

import dataclasses
from enum import StrEnum

import pytest

from mes.audit.models import AuditEntry, AuditRow
from mes.errors import SigningRefused, StaleRecord
from mes.people import services as people
from mes.people.models import Role, User
from mes.people.setup import system_actor
from mes.permissions import Permission
from mes.records import door
from mes.records.context import site_context
from mes.records.door import service
from mes.records.models import SecurityEvent
from mes.signatures import ceremony, manifest, queries
from mes.signatures.models import Signature, SignaturePayload, SigningIntent
from mes.signatures.rules import check_different_person
from mes.signatures.services import sign
from tests.builders.people import PIN, open_place

pytestmark = pytest.mark.django_db


class Told(StrEnum):
    ACT = "tests.signed_act"


@pytest.fixture(autouse=True)
def _services_of_tests_stay_here(monkeypatch):
    monkeypatch.setattr(door, "SERVICES", dict(door.SERVICES))


@pytest.fixture
def place():
    return open_place()


@pytest.fixture
def ben(place):
    return place.person("ben", [Permission.READ_AUDIT, "batches.record_values"], role="Operator", full_name="Ben Adler", secrets=True)


@pytest.fixture
def what(place, ben):
    """Ben's own entry in the register, as the thing that is signed."""
    return lambda content=None: ceremony.subject(
        User.objects.get(pk=ben.user_id), "person/1", content or {"full_name": "Ben Adler", "count": "1.50", "unit": "mL"}
    )


def proof_of(by, what, meaning="performed", username="ben", secret=PIN):
    intent = ceremony.prepare(by, what, meaning)
    return ceremony.authenticate(by=by, intent_id=intent.pk, username=username, secret=secret)


def signatures(place) -> list[Signature]:
    with site_context(place.site.pk):
        return list(Signature.objects.exclude(meaning="acknowledged_accountability").select_related("payload"))


@pytest.mark.req("SIG-05", case="positive")
def test_a_signature_keeps_the_exact_bytes_and_is_sealed_in_the_stream_of_what_it_signs(place, ben, what):
    signed = sign(by=ben, proof=proof_of(ben, what()), what=what(), meaning="performed", stream="person:x", permission="batches.record_values")
    (kept,) = signatures(place)
    assert kept == signed
    assert bytes(kept.payload.content) == what().payload
    assert manifest.digest(bytes(kept.payload.content)) == bytes(kept.payload_digest)
    assert (kept.full_name, kept.username, kept.role, kept.station) == ("Ben Adler", "ben", "Operator", "desk-1")
    assert kept.auth_methods == ["badge or user name", "signing PIN"]
    with site_context(place.site.pk):
        entry = AuditEntry.objects.get(stream="person:x")
        cited = set(entry.rows.values_list("table", flat=True))
        assert queries.payload_intact(kept)
    assert cited == {"mes_signature", "mes_signaturepayload", "mes_signatureseal"}


@pytest.mark.req("SIG-06", case="positive")
def test_content_that_changed_is_no_longer_covered(place, ben, what):
    signed = sign(by=ben, proof=proof_of(ben, what()), what=what(), meaning="performed", stream="person:x")
    assert queries.still_covers(signed, what())
    assert not queries.still_covers(signed, what({"full_name": "Ben Adler", "count": "1.5", "unit": "mL"}))
    people.set_pin(by=ben, user_id=ben.user_id, pin="739182")  # a new version of the record
    assert not queries.still_covers(signed, what())


@pytest.mark.req("SIG-05", case="negative")
def test_an_act_that_fails_after_its_signature_leaves_none_and_the_intent_can_be_used(place, ben, what):
    @service(Told.ACT)
    def act(*, by, proof, fails):
        signed = sign(by=by, proof=proof, what=what(), meaning="performed", stream="person:x")
        people.define_role(by=place.setup, code="made", name="Made", permissions=["mes.read_audit"])
        if fails:
            raise ZeroDivisionError
        return signed

    proof = proof_of(ben, what())
    with pytest.raises(ZeroDivisionError):
        act(by=ben, proof=proof, fails=True)
    assert signatures(place) == []
    assert SigningIntent.objects.get(pk=proof.intent_id).used_at is None
    signed = act(by=ben, proof=proof, fails=False)
    with site_context(place.site.pk):
        deeds = set(AuditEntry.objects.filter(rows__row_id__in=[signed.pk, Role.objects.get(code="made").pk]).values_list("deed_id", flat=True))
    assert len(deeds) == 1


@pytest.mark.req("SIG-03", case="negative")
def test_a_proof_signs_once(place, ben, what):
    proof = proof_of(ben, what())
    sign(by=ben, proof=proof, what=what(), meaning="performed", stream="person:x")
    with pytest.raises(SigningRefused) as refused:
        sign(by=ben, proof=proof, what=what(), meaning="performed", stream="person:x")
    assert refused.value.code == "intent_used"
    assert len(signatures(place)) == 1


@pytest.mark.req("SIG-05", case="negative")
def test_a_proof_for_one_record_or_meaning_signs_no_other(place, ben, what):
    mia = place.person("mia", [Permission.READ_AUDIT, "batches.record_values"])
    other = ceremony.subject(User.objects.get(pk=mia.user_id), "person/1", {"full_name": "Mia"})
    with pytest.raises(SigningRefused, match="belongs to something else"):
        sign(by=ben, proof=proof_of(ben, what()), what=other, meaning="performed", stream="person:x")
    with pytest.raises(SigningRefused, match="belongs to something else"):
        sign(by=ben, proof=proof_of(ben, what()), what=what(), meaning="verified", stream="person:x")
    forged = dataclasses.replace(proof_of(ben, what()), meaning="verified")
    with pytest.raises(SigningRefused, match="belongs to something else"):
        sign(by=ben, proof=forged, what=what(), meaning="verified", stream="person:x")
    assert signatures(place) == []


@pytest.mark.req("SIG-15", case="negative")
def test_other_content_than_was_shown_is_not_signed(place, ben, what):
    with pytest.raises(StaleRecord):
        sign(by=ben, proof=proof_of(ben, what()), what=what({"full_name": "Ben Adler", "count": "1.51"}), meaning="performed", stream="person:x")
    assert signatures(place) == []


@pytest.mark.req("SIG-16", case="negative")
def test_a_job_or_device_signs_nothing_even_with_a_persons_proof(place, ben, what):
    job = system_actor(place.site.pk)
    device, _ = place.device("cytometer-1")
    for by in (job, device):
        with pytest.raises(SigningRefused) as refused:
            sign(by=by, proof=proof_of(ben, what()), what=what(), meaning="performed", stream="person:x")
        assert refused.value.code == "only_people_sign"
    forged = ceremony.Proof(ceremony.prepare(ben, what(), "performed").pk, User.objects.get(pk=job.user_id), "performed", ("script",))
    with pytest.raises(SigningRefused):
        sign(by=ben, proof=forged, what=what(), meaning="performed", stream="person:x")
    assert signatures(place) == []
    with site_context(place.site.pk):
        assert SecurityEvent.objects.filter(code="only_people_sign").count() == 3


@pytest.mark.req("SIG-12", case="negative")
def test_a_locked_person_signs_nothing_whatever_the_lock_was_for(place, ben, what):
    people.lock_person(by=ben, user_id=ben.user_id, why="wrong passwords in a row")
    with pytest.raises(SigningRefused) as refused:
        proof_of(ben, what())
    assert refused.value.code == "locked_out" and signatures(place) == []


def test_two_persons_means_two_natural_persons(ben):
    from mes.errors import NotAllowed

    check_different_person(ben.user_id, "another", "Somebody else has to.")
    with pytest.raises(NotAllowed, match="Somebody else has to"):
        check_different_person(ben.user_id, ben.user_id, "Somebody else has to.")


@pytest.mark.req("SIG-05", case="negative")
def test_signed_bytes_take_no_binary_float(what):
    with pytest.raises(TypeError, match="binary floats"):
        what({"count": 1.5})


def test_bytes_of_one_record_are_never_those_of_another(what):
    base = manifest.payload_bytes("step/1", "batches.steprun", "a", 1, "s", {"x": "1"})
    others = [
        manifest.payload_bytes("step/2", "batches.steprun", "a", 1, "s", {"x": "1"}),
        manifest.payload_bytes("step/1", "batches.lot", "a", 1, "s", {"x": "1"}),
        manifest.payload_bytes("step/1", "batches.steprun", "b", 1, "s", {"x": "1"}),
        manifest.payload_bytes("step/1", "batches.steprun", "a", 2, "s", {"x": "1"}),
        manifest.payload_bytes("step/1", "batches.steprun", "a", 1, "t", {"x": "1"}),
        manifest.payload_bytes("step/1", "batches.steprun", "a", 1, "s", {"x": None}),
    ]
    assert len({base, *others}) == 7
    assert len({manifest.digest(one) for one in (base, *others)}) == 7


def test_no_signature_without_its_bytes_and_none_twice(place, ben, what):
    with site_context(place.site.pk):
        before = Signature.objects.count()  # the acknowledgement of accountability
    sign(by=ben, proof=proof_of(ben, what()), what=what(), meaning="performed", stream="person:x")
    sign(by=ben, proof=proof_of(ben, what()), what=what(), meaning="performed", stream="person:x")
    with site_context(place.site.pk):
        assert Signature.objects.count() == SignaturePayload.objects.count() == before + 2
        assert AuditRow.objects.filter(table="mes_signature").count() == before + 2
