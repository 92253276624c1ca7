"""What is in the record stays in it and is seen: earlier values, attempts, the decided record, whole signatures. REC-03 to REC-05, SIG-04."""

from __future__ import annotations

import re
import uuid

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from batches.dossier import rendering
from batches.dossier.queries.record import record_of
from batches.execution import services as steps
from batches.execution.models import Entry, EntryAttempt, Excursion, ScanEvent, StepRun
from batches.execution.queries.content import correction_of_consumption_subject, correction_subject
from batches.lots.models import Lot
from batches.materials.models import Consumption
from batches.permissions import Permission as B
from mes.clock import record_now
from mes.errors import RuleBroken
from mes.records.context import site_context
from mes.signatures import shown
from mes.signatures.models import Signature
from quality.deviations.services import open_by_hand
from quality.release.evidence import evidence_of
from quality.review.queries import exceptions
from quality.roles import ROLES
from quality.samples.models import Result
from tests.builders.staff import PIN, signed_in
from tests.house.source import report
from tests.house.test_access_matrix import table

READERS = sorted(code for code, (_, rights) in ROLES.items() if B.READ_RECORD in rights and code != "inspector")
WHO = {
    "scheduler": "sam", "collection_nurse": "nora", "receiving": "rex", "operator": "olga", "second_person": "wim", "qc_analyst": "anna", "qc_reviewer": "rolf",
    "qa_reviewer": "quentin", "qa_release": "ruth", "process_engineer": "erin", "supervisor": "boss",
}  # fmt: skip
#: Ways in which somebody might ask for less.
LESS = ("", "?print=1", "?before=0", "?plain=1&corrections=hide", "?format=short")


def words(html: str) -> str:
    """What a reader sees of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"</?bdi>", "", html)).split())


def correct(judged, lot, text: str, reason: str, second: str = "jonas", parameter: str = "volume") -> Entry:
    with judged.reading():
        entry = Entry.objects.select_related("by", "step_run__lot").get(lot=lot, parameter=parameter, superseded_by=None)
        what = correction_subject(entry, entry.step_run, text, reason)
    proof = judged.proof("maya", second, what, "confirmed_transcription")
    return steps.correct_value(by=judged.by("maya"), entry_id=entry.pk, text=text, reason=reason, proof=proof)


def volume(record: dict) -> dict:
    return next(each for stage in record["stages"] for step in stage["steps"] for each in step["values"] if each["name"] == "Bag volume")


# --- a changed value never hides the earlier ones (REC-03) --------------------------------------------------------------


@pytest.fixture
def changed(judged):
    """A lot whose bag volume was changed twice: 100, 110, 120."""
    lot = judged.to_count()
    judged.fill_count(lot)
    correct(judged, lot, "110", "Read the wrong line")
    correct(judged, lot, "120", "Held the wrong bag", "olga")
    return lot


@pytest.mark.req("REC-03", case="negative")
def test_no_role_and_no_way_of_asking_hides_what_a_value_was_before(judged, changed):
    assert set(READERS) == set(WHO), report(set(READERS) ^ set(WHO), "Say who holds each role that reads records.")
    hidden = {}
    for code, name in WHO.items():
        client = signed_in(judged.users[name])
        for less in LESS:
            page = words(client.get(f"/lots/{changed.number}/record/{less}").content.decode())
            wanted = ("100 mL", "110 mL", "120 mL", "Read the wrong line", "Held the wrong bag", "compared by Jonas Demo", "compared by Olga Demo")
            lost = [each for each in wanted if each not in page]
            exported = volume(client.get(f"/api/v1/lots/{changed.number}/record/{less}").json())
            kept = [(each["value"], each["reason"], each["by"]) for each in exported["before"]]
            if lost or kept != [("100", "", "Maya Demo"), ("110", "Read the wrong line", "Maya Demo")]:
                hidden[f"{code} {less}"] = f"page without {lost}, export with {kept}"
    assert not hidden, report(hidden, "A changed value shows what it was, who changed it, when and why, to everybody who reads the record.")


@pytest.mark.req("REC-03", case="negative")
def test_paper_shows_every_earlier_value_with_who_when_and_why(judged, changed, monkeypatch):
    drawn = []
    monkeypatch.setattr(rendering, "render_paper", lambda html, **more: drawn.append(html) or b"%PDF")
    with judged.reading():
        record = record_of(judged.fresh_in(changed), record_now())
    rendering.record_pdf(record)
    text = words(drawn[0])
    assert "Maya Demo; reason: Read the wrong line; compared by Jonas Demo" in text and "Reason: Held the wrong bag" in text
    assert drawn[0].count('<span class="old">') == 2 and all(each["at"] for each in volume(record)["before"])


# --- attempts and failures stay, and the reviewer sees them (REC-04) ------------------------------------------------------


@pytest.fixture
def tried(judged):
    """A lot with text typed for a number, a wrong bag scanned, a step stopped, a result that fails."""
    lot = judged.to_count()
    run = judged.run(lot, "A1.2")
    judged.enter(lot, "A1.2", density="plenty")
    steps.consume(by=judged.by("maya"), step_run_id=run.pk, line="medium", scanned=judged.equipment("counter").identifier)
    steps.stop_step(by=judged.by("maya"), step_run_id=run.pk, seen=judged.run(lot, "A1.2").version, reason="The counter shows nothing")
    with judged.reading():
        from batches.execution.queries.content import resume_subject

        what = resume_subject(judged.run(lot, "A1.2"), "Another counter is there")
    proof = judged.proof("boss", "boss", what, "resumed")
    steps.resume_step(by=judged.by("boss"), step_run_id=run.pk, seen=judged.run(lot, "A1.2").version, reason="Another counter is there", proof=proof)
    judged.fill_count(lot, viability="68.4")
    judged.choose_to_keep(lot)
    judged.perform(lot, "A1.2")
    judged.second(lot, "A1.2")
    judged.finished(lot)
    judged.tested(lot, viability="61.0")
    return lot


SEEN = ("plenty", "Wrong", "A step was stopped", "61.0")


@pytest.mark.req("REC-04", case="negative")
def test_no_reviewer_is_shown_a_lot_without_its_attempts_and_failures(judged, tried):
    client = signed_in(judged.users["quentin"])
    for less in (*LESS, "?kind=result", "?only=open", "?attempts=hide"):
        page = words(client.get(f"/lots/{tried.number}/review/{less}").content.decode())
        lost = [each for each in SEEN if each not in page]
        assert not lost, f"The review with {less!r} lacks {lost}."
    with judged.reading():
        reasons = {each.finding.reason for each in exceptions(judged.fresh_in(tried))}
    assert "The counter shows nothing" in reasons
    record = words(client.get(f"/lots/{tried.number}/record/").content.decode())
    assert "plenty" in record and "Wrong scan" in record and "61.0" in record


@pytest.mark.req("REC-04", case="negative")
def test_no_address_and_no_statement_removes_an_attempt_a_scan_or_a_result(judged, tried):
    removing = {route: row for route, row in table().items() if "DELETE" in row and route != "api/v1/session/"}
    assert not removing, report(removing, "Nothing of a record is removed over HTTP.")
    with judged.reading():
        facts = [
            EntryAttempt.objects.get(lot=tried), ScanEvent.objects.filter(lot=tried, matched=False).first(),
            Result.objects.get(lot=tried, criterion="viability"), Excursion.objects.filter(lot=tried).first(),
        ]  # fmt: skip
    for fact in facts:
        for statement in ("DELETE FROM {0} WHERE id = %s", "UPDATE {0} SET recorded_at = recorded_at WHERE id = %s"):
            refused_by_the_database(judged, statement.format(fact._meta.db_table), [fact.pk])
        with judged.reading():
            rows = type(fact).objects.filter(pk=fact.pk)
            for harm in (fact.delete, rows.delete, lambda rows=rows: rows.update(site=None)):
                with pytest.raises((RuntimeError, RuleBroken, DatabaseError, TypeError)):
                    harm()
            assert type(fact).objects.filter(pk=fact.pk).exists()


def refused_by_the_database(judged, statement: str, values: list, state: str = "42501") -> None:
    """The application's role sends it, in a deed of its own making, and gets this error."""
    with site_context(judged.place.site.pk, writable=True), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT guard.open_deed(%s, %s, %s)", [uuid.uuid4(), judged.users["maya"].pk, judged.place.site.pk])
        with pytest.raises(DatabaseError) as refused, transaction.atomic():
            cursor.execute(statement, values)
        cursor.execute("SELECT set_config('cartulary.deed', '', true)")
    assert refused.value.__cause__.sqlstate == state, refused.value


# --- a decided record is only read (REC-05) -------------------------------------------------------------------------------


@pytest.fixture
def decided(judged):
    lot = judged.ready()
    judged.certify(lot)
    return judged.fresh(lot)


def refused(code: str):
    return pytest.raises(RuleBroken, check=lambda each: each.code == code)


@pytest.mark.req("REC-05", case="negative")
def test_a_decided_lot_takes_no_value_no_correction_and_no_result_by_service(judged, decided):
    with judged.reading():
        line = Consumption.objects.select_related("material_lot__material").get(lot=decided, superseded_by=None)
        what = correction_of_consumption_subject(line, StepRun.objects.select_related("lot").get(pk=line.step_run_id), "12", "Wrong line read")
    proof = judged.proof("maya", "jonas", what, "confirmed_transcription")
    with refused("lot_decided"):
        steps.correct_consumption(by=judged.by("maya"), consumption_id=line.pk, quantity="12", reason="Wrong line read", proof=proof)
    with refused("lot_decided"):
        correct(judged, decided, "110", "Read the wrong line")
    with pytest.raises(RuleBroken):
        judged.enter(decided, "A1.2", volume="110")
    with pytest.raises(RuleBroken):
        judged.result(decided, "viability", "99.0")
    with judged.reading():
        assert not Entry.objects.filter(lot=decided, parameter="volume", supersedes__isnull=False).exists()
        assert Lot.objects.get(pk=decided.pk).state == "certified_stage_1"


@pytest.mark.req("REC-05", case="negative")
def test_a_decided_lot_is_not_changed_over_pages_and_api(judged, decided):
    with judged.reading():
        entry = Entry.objects.get(lot=decided, parameter="volume", superseded_by=None)
    client = signed_in(judged.users["maya"])
    page = client.get(f"/lots/{decided.number}/steps/A1.2/corrections/{entry.pk}/")
    assert page.status_code == 409 and "its record is not corrected any more" in words(page.content.decode())
    at = f"/api/v1/lots/{decided.number}/steps/A1.2/corrections/{entry.pk}/sign/?value=110&reason=Read%20the%20wrong%20line"
    proof = {"intent": client.get(at).json()["intent"], "username": judged.users["jonas"].username, "secret": PIN}
    answer = client.post(at, proof, content_type="application/json", headers={"Idempotency-Key": uuid.uuid4().hex})
    assert (answer.status_code, answer.json()["code"]) == (409, "lot_decided"), answer.content[:300]
    with judged.reading():
        assert list(Entry.objects.filter(lot=decided, parameter="volume").values_list("value_text", flat=True)) == ["100"]


@pytest.mark.req("REC-05", case="negative")
def test_a_decided_lot_is_not_changed_by_model_or_statement(judged, decided):
    with judged.reading():
        entry = Entry.objects.get(lot=decided, parameter="volume", superseded_by=None)
    for harm in (lambda: Entry.objects.filter(pk=entry.pk).update(value_text="110"), entry.save, entry.delete, decided.save):
        with judged.reading(), pytest.raises((RuntimeError, RuleBroken, DatabaseError, TypeError)):
            harm()
    for name in ("batches_entry", "mes_auditentry", "mes_auditrow", "mes_signature", "quality_releasedecision", "batches_lothistory"):
        refused_by_the_database(judged, f"UPDATE {name} SET site_id = site_id", [])
        refused_by_the_database(judged, f"DELETE FROM {name}", [])
    refused_by_the_database(judged, "UPDATE batches_lot SET state = 'in_review' WHERE id = %s", [decided.pk], "CT004")
    assert judged.fresh(decided).state == "certified_stage_1"


@pytest.mark.req("REC-05", case="positive")
def test_what_has_to_be_said_later_stands_beside_the_original(judged, decided):
    """The amendment of a decided record is a deviation, which quality assesses and closes by signature; the value stays as it was."""
    made = open_by_hand(by=judged.by("quinn"), lot_id=decided.pk, title="Volume read from the wrong bag", description="The bag held 110 mL, not 100 mL.")
    page = words(signed_in(judged.users["quentin"]).get(f"/lots/{decided.number}/record/").content.decode())
    assert "100 mL" in page and made.number in page and "Volume read from the wrong bag" in page


# --- a signature is shown whole or not at all (SIG-04) --------------------------------------------------------------------

LOST = {"full_name": "full name", "username": "user name", "role": "role", "meaning_text": "meaning", "site_time_zone": "time zone"}


@pytest.mark.req("SIG-04", case="negative")
@pytest.mark.parametrize("field", LOST)
def test_a_signature_that_lacks_an_element_is_shown_nowhere(judged, monkeypatch, field):
    lot = judged.ready()
    decision = judged.certify(lot)
    real = Signature.from_db.__func__

    def without(cls, db, names, values):
        made = real(cls, db, names, values)
        made.__dict__[field] = ""
        return made

    monkeypatch.setattr(Signature, "from_db", classmethod(without))
    with judged.reading():
        fresh = judged.fresh_in(lot)
        copies = {
            "record, page and paper": lambda: record_of(fresh, record_now()),
            "evidence": lambda: evidence_of(fresh),
            "component of pages": lambda: shown.signature(Signature.objects.filter(lot_id=lot.pk).first()),
            "certificate": lambda: rendering_of(decision.pk),
        }
        for name, draw in copies.items():
            with pytest.raises(RuleBroken, check=lambda each: each.code == "signature_incomplete") as broken:
                draw()
            assert LOST[field] in broken.value.sentence, name
    client = signed_in(judged.users["quentin"])
    for answer in (client.get(f"/lots/{lot.number}/record/"), client.get(f"/api/v1/lots/{lot.number}/record/")):
        assert answer.status_code == 409 and "lacks its" in answer.content.decode()


def rendering_of(decision_id):
    from quality.release.models import ReleaseDecision
    from quality.release.rendering import signed_of

    return signed_of(ReleaseDecision.objects.select_related("signature__payload").get(pk=decision_id))


@pytest.mark.req("SIG-04", case="negative")
@pytest.mark.parametrize("field", LOST)
def test_the_database_takes_no_signature_that_lacks_an_element(judged, field):
    with judged.reading():
        columns = [each.column for each in Signature._meta.concrete_fields]
        copied = ", ".join({"id": "gen_random_uuid()", "intent_id": "gen_random_uuid()", field: "''"}.get(each, each) for each in columns)
        pk = Signature.objects.filter(role__gt="").first().pk
    with site_context(judged.place.site.pk, writable=True), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT guard.open_deed(%s, %s, %s)", [uuid.uuid4(), judged.users["maya"].pk, judged.place.site.pk])
        with pytest.raises(IntegrityError, match="signature_names_its"), transaction.atomic():
            cursor.execute(f"INSERT INTO mes_signature ({', '.join(columns)}) SELECT {copied} FROM mes_signature WHERE id = %s", [pk])
        cursor.execute("SELECT set_config('cartulary.deed', '', true)")
