"""The published lots as text: digit for digit, and what is made up says so."""

from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from batches.recipes.document.loader import parse_recipe
from batches.recipes.expressions import Expression
from batches.recipes.quantities import read_value
from quality.specifications.document.loader import parse_specification
from quality.specifications.document.result_sets import NOT_PUBLISHED, ResultSets, ResultSetsRefused, parse_result_sets
from quality.specifications.document.schema import Specification
from quality.specifications.verdicts import judge_result

ROOT = Path(__file__).resolve().parents[3]
LOTS = ROOT / "quality/demo_data/lots/ari0001.yaml"
PUBLISHED = {
    "ARI0001/01": {"car_pos_percent": "26.0", "vcn": "1.45", "viability": "97.9", "cd3_percent": "97.9", "potency_a": "14.9", "potency_b": "90.9"},
    "ARI0001/02": {"car_pos_percent": "41.9", "vcn": "2.32", "viability": "98.1", "cd3_percent": "98.6", "potency_a": "40.4", "potency_b": "64.6"},
    "ARI0001/03": {"car_pos_percent": "39.7", "vcn": "2.51", "viability": "98.0", "cd3_percent": "98.6", "potency_a": "43.0", "potency_b": "67.0"},
}
PUBLISHED_WORDS = {"sterility": "sterile", "endotoxin": "<=0.5", "mycoplasma": "absent", "rcl": "absent"}
TOTAL = {"ARI0001/01": "1.495e9", "ARI0001/02": "1.746e9", "ARI0001/03": "1.340e9"}


@cache
def specification() -> Specification:
    return parse_specification((ROOT / "quality/demo_data/specifications/ari0001.yaml").read_text())


@cache
def lots() -> ResultSets:
    return parse_result_sets(LOTS.read_text(), specification())


@pytest.mark.parametrize("lot", PUBLISHED)
def test_published_values_are_those_of_the_table_and_marked_so(lot: str):
    published = {each.criterion: each.value for each in lots().lot(lot).results if each.evidence == "V"}

    assert published == PUBLISHED[lot] | PUBLISHED_WORDS
    assert lots().based_on[0].doi == "10.1016/j.omtm.2018.11.010"


@pytest.mark.parametrize("lot", PUBLISHED)
def test_what_the_table_does_not_give_is_marked_as_not_published(lot: str):
    made_up = {each.criterion: each.mark for each in lots().lot(lot).results if each.evidence == "demo"}

    assert made_up == dict.fromkeys(["appearance", "car_pos_dose", "adventitious_viruses"], NOT_PUBLISHED)


@pytest.mark.parametrize("lot", PUBLISHED)
def test_the_record_of_a_lot_computes_to_the_published_total_and_the_dose(lot: str):
    recipe = parse_recipe((ROOT / "batches/demo_data/recipes/ari0001.yaml").read_text())
    recorded = {each.parameter: Decimal(each.value) for each in lots().lot(lot).record}

    total = Expression.parse(recipe.parameter("total_car_cells")[1].expression or "").evaluate(recorded)
    dose = Expression.parse(recipe.parameter("dose_per_kg")[1].expression or "").evaluate({**recorded, "total_car_cells": total})

    assert total == Decimal(TOTAL[lot]) == Decimal(lots().lot(lot).calculated[0].value)
    assert isinstance(dose, Decimal)
    assert f"{dose:.3e}".replace("e+", "e") == lots().lot(lot).result("car_pos_dose").value
    assert next(each for each in lots().lot(lot).record if each.parameter == "weight_kg").evidence == "demo"


@pytest.mark.parametrize("lot", PUBLISHED)
def test_every_result_of_a_published_lot_meets_the_published_criteria(lot: str):
    for criterion in specification().criteria:
        written = lots().lot(lot).result(criterion.code).value
        read = (
            read_value(written, "decimal", unit=criterion.unit or "", censored=True)
            if criterion.is_numeric
            else read_value(written, "choice", choices=criterion.options)
        )
        assert judge_result(criterion, read, specification="ARI-0001-REL 1.0").meets, criterion.code


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('      - {criterion: vcn, value: "1.45", evidence: V}\n', "", "result_missing"),
        ('{criterion: vcn, value: "1.45", evidence: V}', '{criterion: vnc, value: "1.45", evidence: V}', "reference_unknown"),
        ('{criterion: vcn, value: "1.45", evidence: V}', '{criterion: rcl, value: "1.45", evidence: V}', "named_twice"),
        ('{criterion: vcn, value: "1.45", evidence: V}', '{criterion: vcn, value: "1.45"}', "field_missing"),
        ('{criterion: vcn, value: "1.45", evidence: V}', "{criterion: vcn, value: 1.45, evidence: V}", "text_wanted"),
    ],
)
def test_result_sets_that_do_not_fit_are_refused(old: str, new: str, code: str):
    text = LOTS.read_text()
    assert text.count(old) == 1

    with pytest.raises(ResultSetsRefused) as refused:
        parse_result_sets(text.replace(old, new), specification())

    assert code in {each.code for each in refused.value.problems}
