"""The order of signatures holds against requests at the same moment: on committed data, on two connections (SIG-08)."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from mes.errors import OutOfSequence, SigningRefused
from mes.people.models import User
from mes.records import door
from mes.records.context import site_context
from mes.signatures import ceremony
from mes.signatures.models import Signature, SigningIntent
from mes.signatures.services import sign
from tests.builders.people import PIN, open_place

RIGHTS = {"performed": "batches.record_values", "verified": "batches.sign_as_second_person"}


@pytest.fixture
def place(committed_db):
    return open_place()


def signer(place, name, meaning):
    return place.person(name, [RIGHTS[meaning]], secrets=True)


def proven(by, what, meaning):
    intent = ceremony.prepare(by, what, meaning)
    return ceremony.authenticate(by=by, intent_id=intent.pk, username=by.username, secret=PIN)


def signed(place):
    with site_context(place.site.pk):
        return list(Signature.objects.exclude(meaning="acknowledged_accountability").values_list("meaning", flat=True))


@pytest.mark.req("SIG-08", case="negative")
def test_a_second_signature_does_not_overtake_a_first_that_is_not_committed(place):
    ben, sam = signer(place, "ben", "performed"), signer(place, "sam", "verified")
    what = ceremony.subject(User.objects.get(pk=ben.user_id), "person/1", {"text": "x"})
    first, second = proven(ben, what, "performed"), proven(sam, what, "verified")
    written, go_on = threading.Event(), threading.Event()

    def hold_back(_deed):
        written.set()
        assert go_on.wait(20)

    def perform():
        try:
            with door.before_commit(hold_back):
                sign(by=ben, proof=first, what=what, meaning="performed", stream="person:x")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        performing = other.submit(perform)
        assert written.wait(20)
        try:
            with pytest.raises(OutOfSequence):
                sign(by=sam, proof=second, what=what, meaning="verified", stream="person:y")
        finally:
            go_on.set()
        performing.result()
    assert signed(place) == ["performed"]
    sign(by=sam, proof=second, what=what, meaning="verified", stream="person:x")
    assert sorted(signed(place)) == ["performed", "verified"]


@pytest.mark.req("SIG-08", case="negative")
def test_one_proof_sent_twice_at_the_same_moment_signs_once(place):
    ben = signer(place, "ben", "performed")
    what = ceremony.subject(User.objects.get(pk=ben.user_id), "person/1", {"text": "x"})
    proof, together = proven(ben, what, "performed"), threading.Barrier(2)

    def press(_):
        try:
            together.wait(20)
            sign(by=ben, proof=proof, what=what, meaning="performed", stream="person:x")
            return "signed"
        except SigningRefused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as presses:
        assert sorted(presses.map(press, range(2))) == ["intent_used", "signed"]
    assert signed(place) == ["performed"]


@pytest.mark.req("SIG-03", case="negative")
def test_one_page_sent_twice_at_the_same_moment_with_two_reasons_signs_once(place):
    ben = place.person("ben", ["batches.hold_lot"], secrets=True)
    record = User.objects.get(pk=ben.user_id)
    shown = ceremony.subject(record, "person/1", {"reason": ""})
    page, together = ceremony.prepare(ben, shown, "placed_on_hold"), threading.Barrier(2)

    def press(reason):
        what = ceremony.subject(record, "person/1", {"reason": reason})
        try:
            together.wait(20)
            proof = ceremony.authenticate_with_reason(by=ben, intent_id=page.pk, shown=shown, what=what, username=ben.username, secret=PIN)
            sign(by=ben, proof=proof, what=what, meaning="placed_on_hold", stream="person:x")
            return "signed"
        except SigningRefused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as presses:
        assert sorted(presses.map(press, ["Label in doubt", "Room too warm"])) == ["intent_used", "signed"]
    assert signed(place) == ["placed_on_hold"]
    assert not SigningIntent.objects.filter(used_at=None).exists(), "nothing is left with which to sign"
