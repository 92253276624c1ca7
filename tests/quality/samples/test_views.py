"""The laboratory's pages, as its people use them."""

from __future__ import annotations

import re

import pytest

from quality.samples.models import Result, ResultReview
from tests.builders.staff import PASSWORD, signed_in

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def lot(lab):
    return lab.weighed(lab.received(lab.order()))


@pytest.fixture
def ana(lab):
    return signed_in(lab.users["ana"])


@pytest.fixture
def rea(lab):
    return signed_in(lab.users["rea"])


def results(lab, lot):
    with lab.reading():
        return list(Result.objects.filter(lot=lot).order_by("recorded_at"))


def sign(client, url, who, **typed):
    asked = {name: value for name, value in typed.items() if name != "secret"}
    shown = client.post(url, asked) if asked else client.get(url)
    intent = re.search(r'name="intent" value="([^"]+)"', shown.content.decode())[1]
    return client.post(url, {"intent": intent, "who": who.username, "secret": PASSWORD} | typed)


def test_the_work_list_leads_to_what_waits(lab, lot, ana):
    page = text_of(ana.get("/qc/"))
    assert f"S-{lot.number}-REL" in page and "7 of 7 results to enter" in page


def test_the_panels_show_the_same(lab, lot, ana):
    assert f"S-{lot.number}-STER" in text_of(ana.get("/qc/panel/", **HTMX))
    assert "0 of 8 meet" in text_of(ana.get(f"/lots/{lot.number}/qc/panel/", **HTMX))


def test_the_results_page_shows_limits_rounding_version_and_gauge(lab, lot, ana):
    lab.tested(lot, "viability", "88.7")
    html = ana.get(f"/lots/{lot.number}/qc/?criterion=viability").content.decode()
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert "FLOOR-REL 1.0" in page and "Compared after rounding half up to 1 decimal." in page
    assert 'class="gauge slim"' in html and "Viability: 88.7 %, within limits; limits at least 70 %" in html
    assert "Meets" in page and "1 of 8 meet" in page


def test_limits_answers_samples_and_bounds_are_said_in_words(lab, lot, ana):
    lab.tested(lot, "endotoxin", "<= 0.05")
    html = ana.get(f"/lots/{lot.number}/qc/?criterion=dose").content.decode()
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert "one of:" not in page and "Sterility Culture, version 1 sterile" in page
    specification = signed_in(lab.users["erin"]).get("/specifications/FLOOR-REL/v/1.0/").content.decode()
    assert "“Dose of the cohort” × “Weight” ± 20 %" in specification and "dose_target" not in specification
    assert "≤ 0.05" in html and "&lt;=" not in html
    samples = html[html.index("<h2>Samples</h2>") :]
    assert ">Release</a>" in samples and ">Sterility</a>" in samples and ">REL</a>" not in samples
    assert "after release" in text_of(ana.get("/qc/")) and "post release" not in text_of(ana.get("/qc/"))


def test_a_relative_limit_is_drawn_with_the_band_it_was_judged_with(lab, lot, ana):
    lab.tested(lot, "dose", "7.1e6")
    html = ana.get(f"/lots/{lot.number}/qc/?criterion=dose").content.decode()
    assert 'data-low="5600000"' in html and 'data-high="8400000"' in html


def test_a_failing_result_stands_out_and_names_its_deviation(lab, lot, ana):
    lab.tested(lot, "viability", "65.0")
    html = ana.get(f"/lots/{lot.number}/qc/").content.decode()
    number = lab.deviations(lot)[0].number
    assert 'data-s="alarm"' in html and "Below limit" in html and f"/deviations/{number}/" in html


def test_a_result_is_recorded_from_the_form(lab, lot, ana):
    answer = ana.post(f"/lots/{lot.number}/qc/viability/", {"value": "88.7"})
    assert answer.status_code == 303 and answer.url == f"/lots/{lot.number}/qc/?criterion=viability"
    assert [(each.value_text, each.unit, each.verdict) for each in results(lab, lot)] == [("88.7", "%", "meets")]


def test_a_row_is_recorded_by_htmx_and_answers_the_row_with_what_happened(lab, lot, ana):
    answer = ana.post(f"/lots/{lot.number}/qc/endotoxin/", {"value": "<0.05"}, **HTMX)
    page = text_of(answer)
    assert answer.status_code == 200 and "Meets" in page and "Recorded." in page
    assert answer.content.decode().lstrip().startswith("<tr")


@pytest.mark.req("QC-06", case="negative")
def test_a_refused_row_keeps_the_typed_text_and_says_why(lab, lot, ana):
    answer = ana.post(f"/lots/{lot.number}/qc/viability/", {"value": "1,234"}, **HTMX)
    html = answer.content.decode()
    assert answer.status_code == 422 and 'value="1,234"' in html and "Not recorded" in html and "1.234" in html
    assert results(lab, lot) == []


def test_a_refused_form_shows_the_page_again_with_the_sentence(lab, lot, ana):
    answer = ana.post(f"/lots/{lot.number}/qc/viability/", {"value": "good"})
    html = answer.content.decode()
    assert answer.status_code == 422 and 'data-code="not_a_number"' in html and 'value="good"' in html


def test_a_client_side_verdict_is_not_read(lab, lot, ana):
    ana.post(f"/lots/{lot.number}/qc/viability/", {"value": "65.0", "verdict": "meets", "limits": "0"})
    assert [each.verdict for each in results(lab, lot)] == ["below"]


def test_an_answer_is_chosen_and_none_is_chosen_beforehand(lab, lot, ana):
    html = ana.get(f"/lots/{lot.number}/qc/?criterion=appearance").content.decode()
    assert 'type="radio"' in html and "checked" not in html
    ana.post(f"/lots/{lot.number}/qc/appearance/", {"value": "clear"})
    assert [each.verdict for each in results(lab, lot)] == ["meets"]


def test_an_interim_reading_is_recorded_with_its_day(lab, lot, ana, rea):
    ana.post(f"/lots/{lot.number}/qc/sterility/", {"kind": "interim", "interim_day": "1", "value": "no growth"})
    assert [(each.kind, each.interim_day, each.verdict) for each in results(lab, lot)] == [("interim", 1, "pending")]
    identifier, chosen = lab.sample(lot, "STER").identifier, f"/lots/{lot.number}/qc/?criterion=sterility"
    assert "not yet" in text_of(rea.get(f"/qc/{identifier}/")) and "not reviewed yet" in text_of(rea.get(chosen))
    assert sign(rea, f"/qc/{identifier}/review/", lab.users["rea"]).status_code == 303
    reviewer = lab.users["rea"].full_name
    assert reviewer in text_of(rea.get(f"/qc/{identifier}/")) and f"reviewed by {reviewer}" in text_of(rea.get(chosen))
    assert "no growth, day 1" in text_of(ana.get(f"/lots/{lot.number}/qc/?criterion=sterility"))


def test_a_made_up_value_is_marked_on_the_page(lab, lot, ana):
    ana.post(f"/lots/{lot.number}/qc/viability/", {"value": "88.7", "evidence": "illustrative"})
    assert "illustrative, not published" in text_of(ana.get(f"/lots/{lot.number}/qc/"))


def test_a_test_left_out_is_recorded_with_its_reason(lab, lot, ana):
    answer = ana.post(f"/lots/{lot.number}/qc/potency_a/not-tested/", {"reason": "The target cells did not grow."})
    assert answer.status_code == 303 and [each.verdict for each in results(lab, lot)] == ["not_tested"]
    assert ana.get(f"/lots/{lot.number}/qc/potency_b/not-tested/").status_code == 200


def test_a_sample_is_received_by_its_scan_and_refused_by_another(lab, ana):
    lot = lab.order()
    maya = signed_in(lab.users["maya"])
    identifier = lab.sample(lot).identifier
    assert "Not drawn yet" in text_of(maya.get(f"/qc/{identifier}/"))
    maya.post(f"/qc/{identifier}/draw/", {"seen": "1"})
    wrong = ana.post(f"/qc/{identifier}/receive/", {"seen": "2", "code": "S-OTHER"})
    assert wrong.status_code == 409 and 'data-code="wrong_sample"' in wrong.content.decode()
    assert ana.post(f"/qc/{identifier}/receive/", {"seen": "2", "code": identifier}).status_code == 303
    assert lab.sample(lot).state == "received"


def test_a_stale_screen_is_told_and_changes_nothing(lab, ana):
    lot = lab.order()
    maya = signed_in(lab.users["maya"])
    answer = maya.post(f"/qc/{lab.sample(lot).identifier}/draw/", {"seen": "7"})
    assert answer.status_code == 409 and 'data-code="stale_screen"' in answer.content.decode()
    assert lab.sample(lot).state == "expected"


def test_a_sample_that_cannot_be_tested_is_recorded_with_its_reason(lab, lot, ana):
    identifier = lab.sample(lot, "STER").identifier
    assert ana.get(f"/qc/{identifier}/lose/").status_code == 200
    ana.post(f"/qc/{identifier}/lose/", {"seen": str(lab.sample(lot, "STER").version), "reason": "The tube broke in the centrifuge."})
    assert lab.sample(lot, "STER").state == "lost"
    assert "The tube broke" in text_of(ana.get(f"/qc/{identifier}/"))


@pytest.mark.req("QC-02", case="positive")
def test_a_reviewer_signs_every_result_of_a_sample(lab, lot, rea):
    for criterion in ("viability", "endotoxin"):
        lab.tested(lot, criterion)
    url = f"/qc/{lab.sample(lot).identifier}/review/"
    page = text_of(rea.get(url))
    assert "88.7" in page and "&lt;0.05" in page and "You sign for these 2 results" in page
    assert "Viability" in page and "viability" not in page  # a criterion by its name, not by its code
    assert sign(rea, url, lab.users["rea"]).status_code == 303
    with lab.reading():
        assert ResultReview.objects.filter(lot=lot).count() == 2


def test_a_reviewer_signs_one_result(lab, lot, rea):
    result = lab.tested(lot, "viability")
    assert sign(rea, f"/qc/results/{result.pk}/review/", lab.users["rea"]).status_code == 303
    assert "reviewed" in text_of(rea.get(f"/lots/{lot.number}/qc/?criterion=viability"))


def test_what_a_reviewer_signs_says_how_a_decimal_comma_was_read(lab, lot, rea):
    result = lab.tested(lot, "viability", "88,7")
    assert "88,7 % Meets; read as 88.7; " in text_of(rea.get(f"/qc/results/{result.pk}/review/"))


def test_an_analyst_may_not_open_the_review(lab, lot, ana):
    result = lab.tested(lot, "viability")
    assert ana.get(f"/qc/results/{result.pk}/review/").status_code == 403


@pytest.mark.req("QC-03", case="positive")
def test_a_correction_is_signed_by_a_second_person_and_shows_both_values(lab, lot, ana):
    result = lab.tested(lot, "viability", "87.8")
    becomes = {"value": "88.7", "reason": "Two digits were swapped."}
    first = ana.post(f"/qc/results/{result.pk}/correct/", becomes)
    url = f"/qc/results/{result.pk}/correct/sign/"
    assert first.status_code == 200 and f'action="{url}"' in first.content.decode()
    shown = text_of(first)
    assert "87.8" in shown and "88.7" in shown and "Two digits were swapped." in shown
    refused = sign(ana, url, lab.users["ana"], **becomes, secret="482915")
    assert refused.status_code == 403 and "Another person" in text_of(refused)
    assert sign(ana, url, lab.users["rea"], **becomes, secret="482915").status_code == 303
    html = ana.get(f"/lots/{lot.number}/qc/?criterion=viability").content.decode()
    assert '<span class="old">87.8 %</span>' in html and "88.7" in html


def test_a_scan_of_a_sample_label_leads_to_its_page(lab, lot, ana):
    identifier = lab.sample(lot).identifier
    assert ana.get("/go/", {"code": identifier}).url == f"/qc/{identifier}/"


def test_others_read_but_do_not_enter(lab, lot):
    maya = signed_in(lab.users["maya"])
    html = maya.get(f"/lots/{lot.number}/qc/").content.decode()
    assert "Record result" not in html
    assert maya.post(f"/lots/{lot.number}/qc/viability/", {"value": "88.7"}).status_code == 403
    assert signed_in(lab.users["tess"]).get(f"/lots/{lot.number}/qc/").status_code == 403


def test_an_unknown_criterion_or_lot_is_a_page_that_says_so(lab, lot, ana):
    assert ana.get(f"/lots/{lot.number}/qc/?criterion=colour").status_code == 404
    assert ana.get("/lots/NOPE-1/qc/").status_code == 404


@pytest.mark.req("QC-01", case="positive")
def test_a_decimal_comma_is_kept_as_typed_and_said_back(lab, lot, ana):
    answer = ana.post(f"/lots/{lot.number}/qc/viability/", {"value": "88,7"}, **HTMX)
    assert answer.status_code == 200 and "Read as 88.7." in answer.content.decode()
    (result,) = results(lab, lot)
    assert (result.value_text, str(result.value)) == ("88,7", "88.7")
    assert "read as 88.7" in text_of(ana.get(f"/lots/{lot.number}/qc/?criterion=viability"))
