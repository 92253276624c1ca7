"""What the dossier reads: the trail with every entry once, the people who worked, the signatures that still cover their content."""

from __future__ import annotations

import pytest

from batches.custody import queries as custody_queries
from batches.custody import services as custody
from batches.dossier import queries
from batches.execution import services as steps
from batches.execution.models import Entry
from batches.execution.queries.content import correction_subject, resume_subject
from mes.audit.models import AuditEntry
from mes.records.intact import stream_findings


@pytest.mark.req("REC-01", case="positive")
def test_the_annex_prints_every_entry_of_the_stream_once_and_in_words(judged):
    lot = judged.made(viability="68.4")
    with judged.reading():
        items = queries.annex(judged.fresh_in(lot))
        seqs = list(AuditEntry.objects.filter(stream=f"lot:{lot.pk}").order_by("seq").values_list("seq", flat=True))
    assert [item.seq for item in items] == seqs == list(range(1, len(seqs) + 1))
    assert all(item.changes for item in items)
    low = next(item for item in items if any(change.new == "68.4 %" for change in item.changes))
    assert low.group == "Step A1.2, Count cells and check viability" and low.who == "Maya Demo" and low.role == "Operator"
    chosen = next(item for item in items if item.event.startswith("Excursion chosen"))
    assert chosen.group == low.group and chosen.why == "Read twice, the value is as it is"
    assert sum(len(several) for _, several in queries.grouped(items)) == len(items)


def test_the_annex_up_to_an_entry_is_the_beginning_of_the_whole(judged):
    lot = judged.counted()
    with judged.reading():
        fresh = judged.fresh_in(lot)
        assert queries.annex(fresh, 9) == queries.annex(fresh)[:9]


@pytest.mark.req("SIG-06", case="positive")
def test_a_correction_after_signing_shows_the_signatures_as_no_longer_covering(judged):
    lot = judged.to_count()
    judged.fill_count(lot)
    with judged.reading():
        before = queries.check_signatures(judged.fresh_in(lot))
    assert before.is_sound and len(before.signatures) == 4
    judged.perform(lot, "A1.2")
    with judged.reading():
        entry = Entry.objects.select_related("by", "step_run__lot").get(lot=lot, parameter="volume", superseded_by=None)
        what = correction_subject(entry, entry.step_run, "110", "Read the wrong line")
    proof = judged.proof("maya", "jonas", what, "confirmed_transcription")
    steps.correct_value(by=judged.by("maya"), entry_id=entry.pk, text="110", reason="Read the wrong line", proof=proof)
    with judged.reading():
        after = queries.check_signatures(judged.fresh_in(lot))
    assert [(each.run.key, each.signature.meaning) for each in after.broken] == [("A1.2", "performed")]


@pytest.mark.req("AUD-12", case="positive")
def test_who_worked_is_known_with_what_they_did(judged):
    lot = judged.counted()
    with judged.reading():
        found = queries.workers(judged.fresh_in(lot))
    named = {name: found.get(judged.users[name].pk, set()) for name in ("maya", "jonas", "sam", "sue", "quinn")}
    assert named == {"maya": {"performed", "recorded"}, "jonas": {"checked"}, "sam": {"performed", "recorded"}, "sue": {"checked"}, "quinn": set()}


@pytest.mark.req("REL-02", case="negative")
def test_who_decided_labelled_or_handed_over_worked_on_the_lot(judged):
    lot = judged.to_count()
    judged.fill_count(lot, viability="68.4")
    judged.choose_to_keep(lot)
    run = judged.run(lot, "A1.2")
    steps.stop_step(by=judged.by("olga"), step_run_id=run.pk, seen=run.version, reason="The chamber leaks")
    run = judged.run(lot, "A1.2")
    with judged.reading():
        what = resume_subject(run, "Another chamber is used")
    proof = judged.proof("boss", "boss", what, "resumed")
    steps.resume_step(by=judged.by("boss"), step_run_id=run.pk, seen=run.version, reason="Another chamber is used", proof=proof)
    bag = judged.container(lot)
    custody.print_label(by=judged.by("jonas"), container_id=bag.pk)
    with judged.reading():
        where = {"from_place": "Ward", "to_place": "Suite"}
        what = custody_queries.hand_over_subject(bag, "at_manufacture", where)
    proof = judged.proof("rex", "rex", what, "received")
    custody.hand_over(by=judged.by("rex"), container_id=bag.pk, kind="at_manufacture", scanned=f"CTL:C:{bag.identifier}", proof=proof, **where)
    with judged.reading():
        found = queries.workers(judged.fresh_in(lot))
    named = {name: found.get(judged.users[name].pk, set()) for name in ("maya", "boss", "jonas", "rex")}
    assert named == {"maya": {"performed", "recorded", "decided"}, "boss": {"decided"}, "jonas": {"checked", "labelled"}, "rex": {"handed over"}}


def test_a_stream_as_it_was_written_is_whole(judged):
    lot = judged.counted()
    with judged.reading():
        assert stream_findings(f"lot:{lot.pk}") == []
        assert stream_findings("lot:nobody") == ["the stream's head is another one than its last entry"]
