"""The batch record on paper: complete, kept with its digest, the same bytes for the same record."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess

import pytest

from batches.dossier import rendering, services
from batches.dossier.models import BatchRecordPaper
from batches.dossier.queries.papers import papers_of
from batches.dossier.queries.record import digest_of, record_of
from batches.execution import services as steps
from batches.execution.models import Entry
from batches.execution.queries.content import correction_subject
from mes.clock import record_now
from mes.errors import NotAllowed
from mes.people.setup import system_actor
from tests.builders.staff import signed_in


def read(judged, lot) -> dict:
    with judged.reading():
        return record_of(judged.fresh_in(lot), record_now())


def text_of(pdf: bytes, tmp_path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    (tmp_path / "x.pdf").write_bytes(pdf)
    return subprocess.run(["pdftotext", "-layout", str(tmp_path / "x.pdf"), "-"], capture_output=True, text=True, check=True).stdout


def step(record: dict, key: str) -> dict:
    return next(step for stage in record["stages"] for step in stage["steps"] if step["key"] == key)


@pytest.mark.req("REC-02", case="positive")
def test_the_record_holds_values_in_their_limits_materials_equipment_files_and_signatures(judged):
    record = read(judged, judged.made(viability="68.4"))
    counted = step(record, "A1.2")
    viability = next(each for each in counted["values"] if each["name"] == "Viability")
    assert (viability["value"], viability["unit"], viability["level"]) == ("68.4", "%", "action")
    assert "action ≥ 70" in viability["limits"] and viability["class"] == "CPP"
    assert counted["materials"][0]["number"] and counted["equipment"][0]["calibrated_until"] and len(counted["files"][0]["sha256"]) == 64
    assert [each["username"].split(".")[0] for each in counted["signatures"]] == ["maya", "jonas"]
    assert counted["excursions"][0]["choices"][0]["reason"] == "Read twice, the value is as it is"
    assert counted["scans"][0]["how"] == "scanned"
    calculated = next(each for each in (value for stage in record["stages"] for every in stage["steps"] for value in every["values"]) if each["trace"])
    assert "_" in calculated["trace"] and "_" not in calculated["calculation"] and "“" in calculated["calculation"]
    titles = [table["title"] for table in record["tables"]]
    assert "Genealogy of materials" in titles and "Deviations" in titles and "Results against specification" in titles
    genealogy = next(table for table in record["tables"] if table["title"] == "Genealogy of materials")
    assert genealogy["rows"][0]["cells"][-1] == "A1.2: 10 mL"


@pytest.mark.req("REC-03", case="positive")
def test_a_changed_value_keeps_the_earlier_one_beside_it(judged):
    from batches.execution import services as steps
    from batches.execution.models import Entry
    from batches.execution.queries.content import correction_subject

    lot = judged.to_count()
    judged.fill_count(lot)
    with judged.reading():
        entry = Entry.objects.select_related("by", "step_run__lot").get(lot=lot, parameter="volume", superseded_by=None)
        what = correction_subject(entry, entry.step_run, "110", "Read the wrong line")
    proof = judged.proof("maya", "jonas", what, "confirmed_transcription")
    steps.correct_value(by=judged.by("maya"), entry_id=entry.pk, text="110", reason="Read the wrong line", proof=proof)
    values = {each["name"]: each for each in step(read(judged, lot), "A1.2")["values"]}
    assert values["Bag volume"]["value"] == "110" and values["Bag volume"]["reason"] == "Read the wrong line"
    assert [each["value"] for each in values["Bag volume"]["before"]] == ["100"] and values["Bag volume"]["confirmed_by"] == "Jonas Demo"
    assert values["Total CAR+ cells"]["before"] == []


@pytest.mark.req("REC-01", case="positive")
def test_the_paper_is_kept_with_its_digest_and_a_second_one_does_not_replace_it(judged, tmp_path):
    lot = judged.counted()
    jobs = system_actor(judged.place.site.pk)
    first = rendering.render_batch_record(jobs, lot.pk)
    second = rendering.render_batch_record(jobs, lot.pk)
    with judged.reading():
        kept = BatchRecordPaper.objects.get(pk=first.pk)
        assert [paper.number for paper in papers_of(lot)] == [2, 1] and second.number == 2
    pdf = bytes(kept.pdf)
    assert hashlib.sha256(pdf).hexdigest() == kept.sha256
    text = text_of(pdf, tmp_path)
    assert "Batch record" in text and "Count cells and check viability" in text and "82.4" in text and "Page 1 of" in text
    assert "Maya Demo" in text and "End of the batch record" in text


def test_every_time_on_the_paper_is_in_the_zone_of_the_site_with_its_name(judged, tmp_path):
    text = text_of(rendering.record_pdf(read(judged, judged.made())), tmp_path)
    times = re.findall(r"\d{1,2} \w{3} \d{4},? \d\d:\d\d(?::\d\d)?(?: \S+)?", text)
    assert len(times) > 20 and all(re.fullmatch(r"\d{1,2} \w{3} \d{4}, \d\d:\d\d(:\d\d)? CES?T,?", each) for each in times), set(times)
    assert not re.search(r"[+-]\d\d:\d\d\b|UTC|\d{4}-\d\d-\d\d[T ]\d\d", text)


def test_the_same_record_gives_the_same_bytes(judged):
    record = read(judged, judged.order())
    assert rendering.record_pdf(record) == rendering.record_pdf(record)
    assert digest_of(record) == digest_of(record)


def test_papers_are_kept_by_the_job_alone(judged):
    lot = judged.order()
    with pytest.raises(NotAllowed, check=lambda refused: refused.code == "rendered_by_job"):
        services.keep_record(by=judged.by("quinn"), lot_id=lot.pk, pdf=b"%PDF", content_digest="0" * 64, entries=1)
    with pytest.raises(NotAllowed, check=lambda refused: refused.code == "not_your_role"):
        services.ask_for_record(by=judged.by("adm"), lot_id=lot.pk)
    assert services.ask_for_record(by=judged.by("quinn"), lot_id=lot.pk).pk == lot.pk


@pytest.mark.req("SIG-06", case="negative")
def test_a_corrected_value_shows_every_signature_of_the_step_as_invalid_on_page_paper_and_export(judged, tmp_path):
    lot = judged.ready()
    with judged.reading():
        entry = Entry.objects.select_related("by", "step_run__lot").get(lot=lot, parameter="viability", superseded_by=None)
        what = correction_subject(entry, entry.step_run, "83.4", "Read the wrong line")
    assert all(each["covers"] for each in step(read(judged, lot), "A1.2")["signatures"])
    page = signed_in(judged.users["quentin"])
    assert "No longer covers" not in page.get(f"/lots/{lot.number}/record/").content.decode()

    proof = judged.proof("maya", "olga", what, "confirmed_transcription")
    steps.correct_value(by=judged.by("maya"), entry_id=entry.pk, text="83.4", reason="Read the wrong line", proof=proof)

    signatures = step(read(judged, lot), "A1.2")["signatures"]
    assert [(each["username"].split(".")[0], each["covers"], each["intact"]) for each in signatures] == [("maya", False, True), ("jonas", False, True)]
    for each in signatures:
        (change,) = each["changed"]
        assert (change["what"], change["reason"], change["by"]) == ("Viability: 82.4 → 83.4 %", "Read the wrong line", "Maya Demo")
    others = [each for stage in read(judged, lot)["stages"] for one in stage["steps"] if one["key"] != "A1.2" for each in one["signatures"]]
    assert others and all(each["covers"] for each in others)
    shown = page.get(f"/lots/{lot.number}/record/").content.decode()
    assert shown.count("No longer covers what is here") == 2 and "reason: <bdi>Read the wrong line</bdi>" in shown
    text = text_of(rendering.record_pdf(read(judged, lot)), tmp_path)
    assert " ".join(text.split()).count("No longer covers what is here") == 2
    exported = page.get(f"/api/v1/lots/{lot.number}/record/").json()
    assert [each["covers"] for each in step(exported, "A1.2")["signatures"]] == [False, False]
