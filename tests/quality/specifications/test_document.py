"""Text to specification: what is refused, and that the demo ones say what the sources say."""

from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from batches.recipes.document.checks import Known, check_recipe
from batches.recipes.document.checks.expressions import kinds_for
from batches.recipes.document.compare import diff
from batches.recipes.document.loader import read_recipe
from batches.recipes.document.problems import SpecificationRefused
from quality.specifications.document.checks import check_specification, check_specification_text
from quality.specifications.document.loader import export, parse_specification, read_specification
from quality.specifications.document.schema import Specification

ROOT = Path(__file__).resolve().parents[3]
NAMES = ["mb_cart20_1", "ari0001"]

SOUND = """\
code: TRIAL-REL
name: Trial release
product: trial
version: "1.0"
markets: [EU]
demo: true
based_on: [{id: S1, title: A source}]
criteria:
  - code: viability
    attribute: viability
    name: Viability
    method: Count
    method_version: "1"
    type: numeric
    unit: "%"
    min: 70
    rounding: {decimals: 1, evidence: illustrative}
    timing: before_infusion
    evidence: V
    evidence_source: S1
    timing_evidence: illustrative
  - code: sterility
    attribute: sterility
    name: Sterility
    method: Growth
    method_version: "1"
    type: categorical
    options: [sterile, growth]
    accept: [sterile]
    timing: post_release
    interim: {accept: [no growth]}
    due_days: 14
    evidence: illustrative
    timing_evidence: illustrative
"""

# The shape of a page of research notes: conventions, sources and products side by side, limits as free text. Notes are read by people.
NOTES = """\
conventions:
  evidence:
    V: value read in the cited source
    illustrative: no source
sources:
  castella2019:
    title: 'Development of a Novel Anti-CD19 Chimeric Antigen Receptor'
    doi: 10.1016/j.omtm.2018.11.010
products:
- id: ari0001
  name: ARI-0001
  source: castella2019
  evidence: V
  tests:
  - attribute: viability
    method: Neubauer + trypan blue exclusion
    type: numeric
    min: 70
    unit: '%'
    timing: before_infusion
"""


@cache
def demo(name: str) -> Specification:
    return parse_specification((ROOT / f"quality/demo_data/specifications/{name}.yaml").read_text())


@pytest.mark.req("MBR-04", case="positive")
def test_a_sound_text_becomes_a_specification():
    specification = check_specification_text(SOUND)

    assert [criterion.code for criterion in specification.criteria] == ["viability", "sterility"]
    assert list(specification.criterion("viability").bounds()) == [("min", Decimal(70))]
    assert parse_specification(export(specification)) == specification


def test_research_notes_are_rejected_with_line_and_field():
    with pytest.raises(SpecificationRefused) as refused:
        parse_specification(NOTES)

    told = {each.field: (each.line, each.code) for each in refused.value.problems}
    assert told["conventions"] == (1, "field_unknown")
    assert told["sources"] == (5, "field_unknown")
    assert told["products"] == (9, "field_unknown")
    assert told["criteria"][1] == told["version"][1] == "field_missing"


def test_a_note_pasted_as_a_criterion_is_rejected_with_line_and_field():
    pasted = SOUND + "  - attribute: cd3_viability\n    in_process:\n      day: 5\n      limit: determined/declared\n    timing: before_infusion\n"

    with pytest.raises(SpecificationRefused) as refused:
        parse_specification(pasted)

    told = {each.field: each for each in refused.value.problems}
    assert told["criteria[3].in_process"].line == SOUND.count("\n") + 2
    assert {"criteria[3].code", "criteria[3].type", "criteria[3].evidence"} <= told.keys()


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ('version: "1.0"', "version: 1.0", "version_unquoted", "version"),
        ("min: 70", "minimum: 70", "field_unknown", "criteria[1].minimum"),
        ("min: 70", 'min: ">=70"', "number_wanted", "criteria[1].min"),
        ("type: numeric", "type: number", "choice_unknown", "criteria[1].type"),
        ("demo: true", "demo: true\ncode: TWICE", "duplicate_key", "code"),
    ],
)
def test_a_text_of_the_wrong_shape_is_refused(old: str, new: str, code: str, field: str):
    with pytest.raises(SpecificationRefused) as refused:
        parse_specification(SOUND.replace(old, new))

    assert (code, field) in {(each.code, each.field) for each in refused.value.problems}


@pytest.mark.req("MBR-04", case="negative")
@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ('    unit: "%"\n', "", "unit_missing", "criteria[1]"),
        ('unit: "%"', "unit: percents", "unknown_unit", "criteria[1].unit"),
        ("    min: 70\n", "", "limit_missing", "criteria[1]"),
        ("min: 70", "min: 70\n    min_exclusive: 60", "limit_doubled", "criteria[1]"),
        ("min: 70", "min: 70\n    max: 60", "limit_reversed", "criteria[1]"),
        ("min: 70", 'min: 70\n    target: {expression: "80", tolerance_pct: 20}', "limit_doubled", "criteria[1]"),
        ("    rounding: {decimals: 1, evidence: illustrative}\n", "", "rounding_missing", "criteria[1]"),
        ("{decimals: 1, evidence", "{decimals: 1, significant: 2, evidence", "rounding_unclear", "criteria[1].rounding"),
        ("type: numeric", "type: report_only", "bound_without_number", "criteria[1].min"),
        ("type: numeric", "type: redacted", "bound_without_number", "criteria[1].min"),
        ("type: categorical", "type: report_only", "never_judged", "criteria[2].accept"),
        ("accept: [sterile]", "accept: [steril]", "answer_unknown", "criteria[2].accept[1]"),
        ("accept: [sterile]", "accept: [sterile, growth]", "never_fails", "criteria[2].accept"),
        ("    due_days: 14\n", "", "due_missing", "criteria[2]"),
        ("timing: post_release", "timing: before_infusion", "not_after_release", "criteria[2].interim"),
        ("timing: before_infusion", "timing: in_process", "day_missing", "criteria[1]"),
        ("    evidence_source: S1\n", "", "source_missing", "criteria[1].evidence"),
        ("evidence_source: S1", "evidence_source: S2", "source_unknown", "criteria[1].evidence_source"),
        ("code: sterility", "code: viability", "named_twice", "criteria[2].code"),
        ("min: 70", "min: 70\n    any_of: alone", "group_of_one", "criteria[1].any_of"),
    ],
)
def test_an_unsound_specification_is_refused_with_line_and_field(old: str, new: str, code: str, field: str):
    assert SOUND.count(old) == 1

    with pytest.raises(SpecificationRefused) as refused:
        check_specification_text(SOUND.replace(old, new))

    assert (code, field) in {(each.code, each.field) for each in refused.value.problems}
    assert all(each.line > 1 for each in refused.value.problems)


def test_a_target_is_checked_against_the_names_and_units_of_the_recipe():
    recipe = read_recipe((ROOT / "batches/demo_data/recipes/mb_cart20_1.yaml").read_text()).recipe
    text = (ROOT / "quality/demo_data/specifications/mb_cart20_1.yaml").read_text()
    target = "dose_target * weight_kg / dose_volume"

    for wrong, code in ((target.replace("weight_kg", "weight"), "unknown_name"), ("dose_target * weight_kg", "unit_mismatch")):
        found = read_specification(text.replace(target, wrong))
        problems = check_specification(found.specification, found.positions, kinds_for(recipe))
        assert [(each.code, each.field) for each in problems] == [(code, "criteria[13].target.expression")]


@pytest.mark.parametrize("name", NAMES)
def test_a_demo_specification_and_its_recipe_fit_together(name: str):
    found = read_recipe((ROOT / f"batches/demo_data/recipes/{name}.yaml").read_text())
    text = (ROOT / f"quality/demo_data/specifications/{name}.yaml").read_text()
    specification = check_specification_text(text, kinds_for(found.recipe))
    known = Known(specifications={specification.code: [criterion.code for criterion in specification.criteria]})

    assert check_recipe(found.recipe, found.positions, known) == ()
    assert specification.demo and text.startswith("# Demo data.")
    samples = {sample.code: sample for sample in found.recipe.samples}
    for criterion in specification.criteria:
        assert criterion.code in samples[criterion.sample or ""].tests
        assert criterion.timing == samples[criterion.sample or ""].timing
        if criterion.recipe_parameter is not None:
            found.recipe.parameter(criterion.recipe_parameter)


@pytest.mark.parametrize("name", NAMES)
def test_a_demo_specification_reads_back_from_its_export(name: str):
    assert diff(demo(name), parse_specification(export(demo(name)))) == []


@pytest.mark.req("QC-01", case="positive")
def test_the_release_limits_of_mb_cart20_1_are_those_published():
    bounds = {each.code: (dict(each.bounds()), each.day, each.timing) for each in demo("mb_cart20_1").criteria}

    assert bounds["car_pos_percent_d5"] == ({"min": Decimal(5)}, 5, "in_process")
    assert bounds["car_pos_percent_d12"] == ({"min": Decimal(10)}, 12, "before_infusion")
    assert bounds["cd3_viability_d12"] == ({"min": Decimal(80)}, 12, "before_infusion")
    assert bounds["cd3_percent_d12"] == ({"min": Decimal(80)}, 12, "before_infusion")
    assert bounds["endotoxin_d12"] == ({"max_exclusive": Decimal(5)}, 12, "before_infusion")
    assert bounds["vcn_d12"] == ({"max_exclusive": Decimal(5)}, 12, "post_release")
    dose = demo("mb_cart20_1").criterion("dose_d12").target
    assert dose is not None and dose.tolerance_pct == 20
    assert {each.code for each in demo("mb_cart20_1").criteria if each.type == "report_only"} == {
        "cd3_viability_d5",
        "cd3_percent_d5",
        "dose_d5",
        "endotoxin_d5",
    }


@pytest.mark.req("QC-01", case="positive")
def test_the_release_limits_of_ari0001_are_those_published():
    bounds = {each.code: dict(each.bounds()) or each.accept for each in demo("ari0001").criteria}

    assert bounds == {
        "appearance": ("cloudy liquid solution",),
        "car_pos_dose": {"min_exclusive": Decimal("0.5e6")},
        "car_pos_percent": {"min": Decimal(20)},
        "cd3_percent": {"min": Decimal(70)},
        "viability": {"min": Decimal(70)},
        "sterility": ("sterile",),
        "mycoplasma": ("absent",),
        "endotoxin": {"max": Decimal("0.5")},
        "adventitious_viruses": ("absent",),
        "vcn": {"max": Decimal(10)},
        "rcl": ("absent",),
        "potency_a": {"max_exclusive": Decimal(70)},
        "potency_b": {"min_exclusive": Decimal(50)},
    }
    assert [each.code for each in demo("ari0001").groups()["potency"]] == ["potency_a", "potency_b"]
    made_up = {each.code for each in demo("ari0001").criteria if each.timing_evidence == "illustrative"}
    assert made_up == {"sterility", "mycoplasma", "adventitious_viruses", "vcn", "rcl", "potency_a", "potency_b"}
