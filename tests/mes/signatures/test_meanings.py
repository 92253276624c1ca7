"""Which role signs which meaning, and in which order: the whole matrix, and what is made up is refused (SIG-07, SIG-08)."""

import dataclasses

import pytest

from mes.errors import OutOfSequence, SigningRefused
from mes.people.models import User
from mes.records.context import site_context
from mes.signatures import ceremony
from mes.signatures.meanings import MEANINGS
from mes.signatures.models import Signature
from mes.signatures.services import sign
from quality.roles import ROLES
from tests.builders.people import open_place

pytestmark = pytest.mark.django_db
ABOUT_ONESELF = {"acknowledged_accountability"}
APART = ("mes.", "batches.author", "quality.author", "quality.certify")
HELD = sorted({right for meaning in MEANINGS.values() for right in meaning.used_by if not right.startswith(APART)})
"""Rights that one person may hold together: duties that are kept apart are left out."""


def proof_of(by, what, meaning):
    """A proof as the ceremony gives it, without a one-time code: who may sign is asked after the secrets."""
    intent = ceremony.prepare(by, what, meaning)
    return ceremony.Proof(intent.pk, User.objects.get(pk=by.user_id), meaning, ("password",))


def entry(user_id, words="x"):
    return ceremony.subject(User.objects.get(pk=user_id), "person/1", {"text": words})


def signed_by(by, meaning, permission=None, what=None):
    what = what or entry(by.user_id)
    return sign(by=by, proof=proof_of(by, what, meaning), what=what, meaning=meaning, stream="person:x", permission=permission)


def first_ones(place):
    """A record with each first signature, so that what has to come after them can."""
    first = place.person("first", ["batches.record_values"], secrets=True)
    what = entry(first.user_id)
    signed_by(first, "performed", "batches.record_values", what)
    quality = place.person("quality", ["quality.assess_deviations"], secrets=True)
    signed_by(quality, "assessed_integrity", "quality.assess_deviations", what)
    return what


def test_every_meaning_names_the_rights_that_use_it_or_is_about_oneself():
    assert {code for code, meaning in MEANINGS.items() if not meaning.used_by} == ABOUT_ONESELF
    held = {str(permission) for _, permissions in ROLES.values() for permission in permissions}
    assert {right for meaning in MEANINGS.values() for right in meaning.used_by} <= held
    assert {other for meaning in MEANINGS.values() for other in meaning.after} <= set(MEANINGS)


@pytest.mark.req("SIG-07", case="negative")
@pytest.mark.parametrize("role", sorted(set(ROLES) - {"equipment"}))
def test_a_role_signs_the_meanings_listed_for_it_and_no_other(role):
    place = open_place()
    what = first_ones(place)
    permissions = [str(permission) for permission in ROLES[role][1]]
    person = place.person("pia", permissions, role=ROLES[role][0], secrets=True)
    listed = {code for code, meaning in MEANINGS.items() if set(meaning.used_by) & set(permissions)}
    succeeded = set()
    for code in MEANINGS.keys() - ABOUT_ONESELF:
        try:
            signature = signed_by(person, code, None, what)
        except SigningRefused as refused:
            assert refused.code == "not_your_role"
            continue
        succeeded.add(code)
        assert signature.role == ROLES[role][0]
    assert succeeded == listed


@pytest.mark.req("SIG-07", case="negative")
def test_a_right_that_a_meaning_does_not_list_signs_it_not_even_when_it_is_held():
    place = open_place()
    person = place.person("pia", HELD, secrets=True)
    what = first_ones(place)
    for meaning in MEANINGS.values():
        for right in {right for other in MEANINGS.values() for right in other.used_by} - set(meaning.used_by):
            with pytest.raises(SigningRefused) as refused:
                signed_by(person, meaning.code, right, what)
            assert refused.value.code == "meaning_not_for_this"
    with site_context(place.site.pk):
        assert Signature.objects.filter(signer_id=person.user_id).exclude(meaning="acknowledged_accountability").count() == 0


@pytest.mark.req("SIG-07", case="positive")
def test_a_listed_right_signs_the_meaning_and_the_role_is_printed():
    place = open_place()
    person = place.person("pia", ["batches.hold_lot"], role="Supervisor", secrets=True)
    assert signed_by(person, "placed_on_hold", "batches.hold_lot").role == "Supervisor"


@pytest.mark.req("SIG-07", case="negative")
def test_a_made_up_meaning_is_refused():
    place = open_place()
    person = place.person("pia", ["batches.record_values"], secrets=True)
    what = entry(person.user_id)
    with pytest.raises(KeyError):
        ceremony.prepare(person, what, "approved by everybody")
    forged = dataclasses.replace(proof_of(person, what, "performed"), meaning="approved by everybody")
    with pytest.raises(KeyError):
        sign(by=person, proof=forged, what=what, meaning="approved by everybody", stream="person:x", permission="batches.record_values")
    with pytest.raises(SigningRefused, match="belongs to something else"):
        sign(by=person, proof=forged, what=what, meaning="performed", stream="person:x", permission="batches.record_values")
    with site_context(place.site.pk):
        assert Signature.objects.filter(signer_id=person.user_id).exclude(meaning="acknowledged_accountability").count() == 0


@pytest.mark.req("SIG-08", case="negative")
@pytest.mark.parametrize("meaning", sorted(code for code, each in MEANINGS.items() if each.after))
def test_what_comes_second_is_not_signed_first(meaning):
    place = open_place()
    right = MEANINGS[meaning].used_by[0]
    second = place.person("sam", [right], secrets=True)
    with pytest.raises(OutOfSequence) as refused:
        signed_by(second, meaning, right)
    assert refused.value.code == "signature_out_of_order"
    what = first_ones(place)
    with pytest.raises(OutOfSequence):  # the first signature is of another record
        signed_by(second, meaning, right, entry(second.user_id))
    assert signed_by(second, meaning, right, what).meaning == meaning
