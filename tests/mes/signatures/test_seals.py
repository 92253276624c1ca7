"""Every signature is sealed by a key outside the database; without the key nobody signs, and nothing is half written."""

import pytest

from mes.audit.models import AuditEntry
from mes.checkpoints import notes
from mes.errors import RuleBroken
from mes.people.models import User
from mes.permissions import Permission
from mes.records.context import site_context
from mes.signatures import ceremony, seal_keys, seals
from mes.signatures.models import Signature, SignaturePayload, SignatureSeal, SigningIntent
from mes.signatures.services import sign
from tests.builders.people import PIN, open_place

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _keys(settings, tmp_path):
    settings.KEYS_FOLDER = tmp_path / "keys"


@pytest.fixture
def place():
    return open_place()


@pytest.fixture
def ben(place):
    return place.person("ben", [Permission.READ_AUDIT, "batches.record_values"], role="Operator", full_name="Ben Adler", secrets=True)


def signed(ben):
    what = ceremony.subject(User.objects.get(pk=ben.user_id), "person/1", {"full_name": "Ben Adler"})
    intent = ceremony.prepare(ben, what, "performed")
    proof = ceremony.authenticate(by=ben, intent_id=intent.pk, username="ben", secret=PIN)
    return sign(by=ben, proof=proof, what=what, meaning="performed", stream="person:x")


@pytest.mark.req("SIG-17", case="positive")
def test_a_signature_is_sealed_in_the_entry_that_holds_it_by_a_key_outside_the_database(place, ben):
    signature = signed(ben)
    with site_context(place.site.pk):
        seal = SignatureSeal.objects.get(signature=signature)
        (entry,) = AuditEntry.objects.filter(stream="person:x")
        assert {signature.pk, seal.pk} <= set(entry.rows.values_list("row_id", flat=True))
        seals.key_of(place.site.pk, place.site.code).public_key().verify(bytes(seal.seal), seals.statement(Signature.objects.get(pk=signature.pk)))
    (line,) = seal_keys.public_lines(place.site.code)
    assert line.startswith(f"cartulary/{place.site.code}/seals+{seal.key_id}+")
    assert (seal_keys.key_folder() / f"{place.site.code}.ed25519").stat().st_mode & 0o777 == 0o600


@pytest.mark.req("SIG-17", case="negative")
def test_a_site_whose_key_is_gone_signs_nothing_and_makes_none_in_silence(place, ben):
    signed(ben)
    path = seal_keys.key_folder() / f"{place.site.code}.ed25519"
    kept = path.read_bytes()
    for spoil in (path.unlink, lambda: path.write_bytes(kept[:31])):
        spoil()
        with pytest.raises(RuleBroken) as refused:
            signed(ben)
        assert refused.value.code == "seal_key_missing" and "Nothing was signed" in refused.value.sentence
    with site_context(place.site.pk):
        made = Signature.objects.filter(stream_name="person:x")
        of_them = {"signature__in": made}
        assert made.count() == SignaturePayload.objects.filter(**of_them).count() == SignatureSeal.objects.filter(**of_them).count() == 1
        assert AuditEntry.objects.filter(stream="person:x").count() == 1
    assert SigningIntent.objects.filter(used_at=None).count() == 2, "what was shown can still be signed when the key is back"
    path.write_bytes(kept)
    assert signed(ben).pk


@pytest.mark.req("SIG-17", case="negative")
@pytest.mark.parametrize("column", seals.SEALED)
def test_no_sealed_column_can_be_another(place, ben, column):
    signature = signed(ben)
    before = seals.statement(signature)
    setattr(signature, column, "another")
    assert seals.statement(signature) != before


def test_neither_key_of_a_site_speaks_for_the_other(place):
    name = seal_keys.key_name(place.site.code)
    with site_context(place.site.pk):
        key = seals.key_of(place.site.pk, place.site.code)
    assert name != f"cartulary/{place.site.code}" and notes.key_id(name, key.public_key()).hex() in seal_keys.public_lines(place.site.code)[0]
