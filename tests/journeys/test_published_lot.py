"""The published lot ARI0001/01 from order to final certificate, as different people through real web and worker processes."""

import json

import pytest

PUBLISHED = {
    "car_pos_percent": "26.0", "cd3_percent": "97.9", "viability": "97.9", "sterility": "sterile", "mycoplasma": "absent", "endotoxin": "<=0.5",
    "vcn": "1.45", "rcl": "absent", "potency_a": "14.9", "potency_b": "90.9", "total_car_cells": "1.495e9",
}  # fmt: skip
MADE_UP = {"appearance", "adventitious_viruses", "car_pos_dose"}


@pytest.mark.req("QC-02", case="negative")
def test_an_analyst_who_is_also_a_reviewer_does_not_review_an_own_result(site, lot_in_qc, refused):
    cast, sample = site.cast, f"S-{lot_in_qc.number}-REL-CELLS"
    with refused("not_your_role", 403):
        cast["analyst"].sign(f"/api/v1/samples/{sample}/review/")
    site.give_role("analyst", "QC reviewer")
    with refused("same_person", 403):
        cast["analyst"].sign(f"/api/v1/samples/{sample}/review/")
    with refused("same_person", 403):
        cast["analyst"].sign_page(f"/qc/{sample}/review/")
    assert {line["reviewed"] for line in lot_in_qc.laboratory.lines()} == {False}


@pytest.mark.req("REL-01", case="negative")
def test_the_same_lot_without_its_made_up_results_is_refused_release(refused_release):
    refusal, gate, state, certificates = refused_release
    assert (refusal.code, refusal.status) == ("gate_closed", 409)
    assert not gate["open"]
    closed = {line["code"]: line["detail"] for line in gate["lines"] if not line["ok"] and line["blocking"]}
    assert "Appearance" in closed["results_in"] and "Adventitious viruses" in closed["results_in"]
    assert (state, certificates) == ("in_review", [])


@pytest.mark.req("REL-08", case="positive")
@pytest.mark.req("REL-03", case="positive")
@pytest.mark.req("QC-01", case="positive")
def test_the_published_lot_gets_a_certificate_with_every_published_value_as_printed(site, certified_lot, tmp_path):
    from quality.demo import comparing, journey

    found = journey.keep(site.cast, certified_lot, tmp_path)
    assert found.good, "\n".join(found.lines())
    assert {each.what: each.published for each in found.compared} == PUBLISHED
    assert [path.read_bytes()[:5] for path in found.files if path.suffix == ".pdf"] == [b"%PDF-"] * 3

    evidence = json.loads(next(path for path in found.files if path.name.startswith("evidence")).read_text())
    stage_1, final = comparing.certificate_in(evidence, "stage_1"), comparing.certificate_in(evidence, "final")
    assert stage_1["pending"] == ["Sterility"] and final["pending"] == []
    assert final["supersedes"] == stage_1["certificate"]
    assert [each["valid"] for each in evidence["certificates"]] == [False, True]
    people = {each["username"] for each in evidence["signatures"]}
    assert len(people) >= 9 and not people & {"admin", "engineer"}
    marks = {each["criterion"]: each["mark"] for each in final["results"]}
    assert {code for code, mark in marks.items() if mark == "illustrative, not published"} == MADE_UP


@pytest.mark.req("AUD-07", case="negative")
def test_an_edited_entry_of_the_evidence_is_found_without_the_server(site, certified_lot):
    from quality.demo import comparing

    evidence = site.cast["qp"].get(f"/api/v1/lots/{certified_lot.number}/evidence/")
    assert len(evidence["entries"]) > 150 and comparing.check_stream(evidence) == []
    edited = json.loads(json.dumps(evidence))
    entry = edited["entries"][0]
    entry["canon"] = bytes.fromhex(entry["canon"]).replace(b"scheduler", b"schedulex", 1).hex()
    assert comparing.check_stream(edited) == ["entry 1: its bytes do not fit its hash"]
    cut = json.loads(json.dumps(evidence))
    cut["entries"].pop()
    assert comparing.check_stream(cut) == ["the head of the stream is another one than that of its last entry"]
