"""The trail of a lot as people read it: found by lot, act and weight, in either order, and as it stood at a past time."""

import datetime as dt
import re

import pytest

from batches.execution import services as steps
from batches.execution.models import Entry
from batches.execution.queries.content import correction_subject
from mes.audit.models import AuditEntry
from mes.clock import record_now
from mes.records.context import site_context
from tests.builders.staff import signed_in


@pytest.fixture
def floor(databases, django_db_setup, django_db_blocker, settings, tmp_path_factory):
    from tests.builders.floor import Floor
    from tests.builders.pooled import kept

    with kept(Floor, databases, django_db_blocker, settings, tmp_path_factory) as floor:
        yield floor


@pytest.fixture
def corrected(floor):
    """A lot with a corrected value, the time before the correction, and a reader."""
    lot = floor.to_count()
    floor.enter(lot, "A1.2", viability="82.4")
    before = record_now()
    with floor.reading():
        entry = Entry.objects.select_related("step_run").get(lot=lot, parameter="viability")
        what = correction_subject(entry, entry.step_run, "84.2", "Digits swapped")
    proof = floor.proof("maya", "jonas", what, "confirmed_transcription")
    steps.correct_value(by=floor.by("maya"), entry_id=entry.pk, text="84.2", reason="Digits swapped", proof=proof)
    return lot, before, signed_in(floor.users["boss"])


def numbers(page) -> list[int]:
    return [int(each) for each in re.findall(r"no\. (\d+)</span>", page.content.decode())]


@pytest.mark.req("AUD-10", case="positive")
def test_the_trail_is_narrowed_by_lot_act_and_weight_and_sorted_both_ways(floor, corrected):
    lot, _, boss = corrected
    floor.order()
    page = boss.get("/audit/", {"lot": lot.number, "event": "batches.value_corrected"})
    assert len(numbers(page)) == 1 and f"Lot {lot.number}" in page.content.decode() and "84.2" in page.content.decode()
    assert numbers(boss.get("/audit/", {"lot": lot.number, "event": "batches.value_corrected", "significance": "routine"})) == []
    assert len(numbers(boss.get("/audit/", {"lot": lot.number, "significance": "significant", "person": "maya"}))) == 1
    newest, oldest = (boss.get("/audit/", {"lot": lot.number, "order": order}) for order in ("", "oldest"))
    assert numbers(newest) == numbers(oldest)[::-1] and len(numbers(newest)) > 2
    assert "Newest first" in newest.content.decode() and "Oldest first" in oldest.content.decode()


@pytest.mark.req("AUD-10", case="negative")
@pytest.mark.parametrize("wrong", [{"since": "notaday"}, {"until": "2026-02-30"}, {"event": "no.such_act"}, {"person": "x" * 101}])
def test_a_filter_that_cannot_be_read_shows_nothing_and_says_so(corrected, wrong):
    _, _, boss = corrected
    page = boss.get("/audit/", wrong)
    text = page.content.decode()
    assert numbers(page) == [] and 'class="err"' in text and "A field of the filter cannot be read." in text
    assert len(numbers(boss.get("/audit/"))) > 2


@pytest.mark.req("AUD-10", case="negative")
def test_a_filter_of_refusals_that_cannot_be_read_shows_none(floor, corrected):
    _, _, boss = corrected
    assert signed_in(floor.users["maya"]).get("/audit/").status_code == 403
    for wrong in ({"since": "notaday"}, {"kind": "no_such_kind"}):
        text = boss.get("/audit/refusals/all/", wrong).content.decode()
        assert "<tbody>" not in text and 'class="err"' in text and "A field of the filter cannot be read." in text
    assert "<tbody>" in boss.get("/audit/refusals/all/").content.decode()


@pytest.mark.req("AUD-10", case="negative")
def test_words_that_name_no_lot_find_nothing_and_not_everything(corrected):
    _, _, boss = corrected
    assert numbers(boss.get("/audit/", {"lot": "NO-SUCH-LOT"})) == []
    assert boss.get("/audit/", {"event": "no.such.act"}).status_code == 200


@pytest.mark.req("AUD-10", case="positive")
def test_a_lot_is_read_as_it_stood_before_a_correction(floor, corrected):
    lot, before, boss = corrected
    at = f"/audit/stream/lot/{lot.pk}/as-of/"
    now, then = boss.get(at, {"at": record_now().isoformat()}).content.decode(), boss.get(at, {"at": before.isoformat()}).content.decode()
    assert "84.2" in now and "82.4" not in re.sub(r"(?s)<form.*?</form>", "", now), "what a correction superseded is not what stands there"
    assert "82.4" in then and "84.2" not in then and lot.number in then
    with site_context(floor.place.site.pk):
        count = AuditEntry.objects.filter(stream=f"lot:{lot.pk}", at__lte=before).count()
    assert f"after {count} entries" in then


@pytest.mark.req("AUD-10", case="negative")
def test_before_its_first_entry_nothing_stood_there_and_who_may_not_read_it_sees_none(floor, corrected):
    lot, _, boss = corrected
    at = f"/audit/stream/lot/{lot.pk}/as-of/"
    assert "Nothing stood there yet" in boss.get(at, {"at": (record_now() - dt.timedelta(days=400)).isoformat()}).content.decode()
    assert "That is no moment" in boss.get(at, {"at": "yesterday"}).content.decode()
    assert signed_in(floor.users["maya"]).get(at).status_code == 403


@pytest.mark.req("AUD-09", case="positive")
def test_refused_attempts_are_found_by_person_kind_words_and_lot(floor, corrected):
    _, _, boss = corrected
    signed_in(floor.users["maya"]).get("/audit/")
    page = boss.get("/audit/refusals/all/", {"person": floor.users["maya"].username}).content.decode()
    assert page.count("<tr><th scope=\"row\">") == 1 and "Maya Demo" in page
    assert "Nothing fits" in boss.get("/audit/refusals/all/", {"person": "nobody at all"}).content.decode()
    assert "Nothing fits" in boss.get("/audit/refusals/all/", {"lot": "NO-SUCH-LOT"}).content.decode()
    assert signed_in(floor.users["maya"]).get("/audit/refusals/all/").status_code == 403
