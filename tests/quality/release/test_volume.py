"""An infused volume is held against what the bag held; where that cannot be read, it is said, and both sign what they read on the label."""

import pytest

from batches.lots.models import Container
from mes.clock import record_now
from mes.records import door
from mes.signatures.models import SignaturePayload
from quality.events import Event
from quality.release import queries
from quality.release.models import ProductUse
from tests.builders.staff import PIN
from tests.quality.release.test_services import broken, dispatch, use
from tests.quality.release.test_views import browser, intents_in

WORDS = "The label says 100 mL, read by both of us"


@pytest.fixture
def unread(judged):
    """A certified and received bag of which the record says a volume that is no number."""
    lot = judged.ready()
    judged.certify(lot)
    dispatch(judged, lot)
    judged.received(lot)
    bag = judged.bag(lot)

    def write(*, by):
        container = Container.objects.lock(bag.pk)
        container.volume_text = "about 100"
        container.save()
        return container

    door._run(door.Deed(by=judged.place.setup), Event.PRODUCT_DISPATCHED, write, {})
    return lot


@pytest.mark.req("REL-06", case="negative")
def test_a_volume_that_nothing_bounds_is_said_and_takes_words_that_both_sign(judged, unread):
    now = record_now()
    with broken("volume_unbounded") as answer:
        use(judged, unread, started_at=now, volume="98 mL")
    assert answer.value.field == "reason" and "written as “about 100”" in answer.value.sentence
    with judged.reading():
        assert not ProductUse.objects.exists()
    made = use(judged, unread, started_at=now, volume="98 mL", reason=WORDS)
    assert made.reason == WORDS
    with judged.reading():
        for signature in (made.first_signature_id, made.second_signature_id):
            assert WORDS.encode() in bytes(SignaturePayload.objects.get(signature_id=signature).content)


@pytest.mark.req("REL-06", case="negative")
def test_the_page_says_it_before_anybody_signs(judged, unread):
    tess, bag = browser(judged, "tess"), judged.bag(unread)
    page, now = f"/lots/{unread.number}/infusion/", record_now()
    from zoneinfo import ZoneInfo

    typed = {
        "scanned": f"CTL:C:{bag.identifier}", "coi": f"CTL:T:{bag.lot.therapy_event.coi}", "infused": "yes", "by_scanner": "scanned coi",
        "started_at": now.astimezone(ZoneInfo(judged.place.site.time_zone)).strftime("%Y-%m-%dT%H:%M"), "volume": "98 mL",
    }  # fmt: skip
    refused = tess.post(page, typed)
    assert (refused.status_code, refused["X-Refusal"]) == (422, "volume_unbounded") and 'value="98 mL"' in refused.content.decode()
    shown = tess.post(page, typed | {"reason": WORDS})
    assert WORDS in shown.content.decode() and "cannot be read as mL" in shown.content.decode()
    signers = {"first_who": judged.users["tess"].username, "first_secret": PIN, "second_who": judged.users["tina"].username, "second_secret": PIN}
    assert tess.post(page, typed | {"reason": WORDS} | signers | intents_in(shown)).status_code == 303


@pytest.mark.req("REL-06", case="positive")
def test_where_the_volume_can_be_read_no_words_are_asked_for(judged, unread):
    with judged.reading():
        bag = judged.bag(unread)
        bag.volume_text = "100 mL"
        assert queries.held_words(bag).endswith("held 100 mL")
        bag.volume_text = ""
        assert queries.volume_held(bag) is not None, "the lot's label names it"
