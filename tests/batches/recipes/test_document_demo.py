"""The demo recipes go through the same reading and checking as a customer's."""

from collections import Counter
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from batches.recipes.document.checks import check_recipe
from batches.recipes.document.checks.context import STEP_ROLES
from batches.recipes.document.loader import ReadRecipe, export, parse_recipe, read_recipe
from batches.recipes.document.planning import planned_entries, planned_steps
from batches.recipes.expressions import Expression

FOLDER = Path(__file__).resolve().parents[3] / "batches" / "demo_data" / "recipes"
NAMES = ["mb_cart20_1", "ari0001"]


@cache
def demo(name: str) -> ReadRecipe:
    return read_recipe((FOLDER / f"{name}.yaml").read_text())


@pytest.mark.req("MBR-04", case="positive")
@pytest.mark.parametrize("name", NAMES)
def test_a_demo_recipe_is_sound(name: str):
    found = demo(name)

    assert [str(each) for each in check_recipe(found.recipe, found.positions)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_demo_recipe_says_that_it_is_demo_data(name: str):
    assert demo(name).recipe.demo
    assert (FOLDER / f"{name}.yaml").read_text().startswith("# Demo data.")


@pytest.mark.parametrize("name", NAMES)
def test_a_demo_recipe_reads_back_from_its_export(name: str):
    recipe = demo(name).recipe

    assert parse_recipe(export(recipe)) == recipe


@pytest.mark.parametrize("name", NAMES)
def test_every_limit_says_where_it_comes_from_and_published_ones_name_the_source(name: str):
    for _, parameter in demo(name).recipe.parameters():
        for limit, _ in parameter.limits.bands():
            evidence, source = parameter.evidence_of(limit)
            assert evidence in ("V", "S", "K", "illustrative"), parameter.key
            assert (source is not None) == (evidence != "illustrative"), parameter.key


def test_the_whole_process_has_its_sixteen_stages_steps_and_entries():
    recipe = demo("mb_cart20_1").recipe

    assert [stage.code for stage in recipe.stages] == [f"A{number}" for number in range(16)]
    assert len(planned_steps(recipe)) >= 60
    assert planned_entries(recipe) >= 250
    assert len(recipe.steps()) >= 60, "the count must not rest on repeats alone"
    assert len(recipe.parameters()) >= 250, "the count must not rest on repeats alone"


def test_feeds_run_once_a_day_from_day_5_to_day_10():
    runs = [run.key for run in planned_steps(demo("mb_cart20_1").recipe) if run.step.title == "Feed"]

    assert runs == [f"A9.4@d{day}" for day in range(5, 11)]


def test_day_5_ends_in_a_signed_decision_to_continue_discuss_or_terminate():
    step = demo("mb_cart20_1").recipe.step("A8.5")

    assert step.decision is not None
    assert [option.consequence for option in step.decision.options] == ["continue", "hold", "terminate"]
    assert (step.day, step.second_person) == (5, "verify")


def test_every_manufacturing_day_opens_with_a_line_clearance_by_two_people():
    clearances = {run.occurrence_day: run.step for run in planned_steps(demo("mb_cart20_1").recipe) if run.step.kind == "line_clearance"}

    assert sorted(clearances) == [0, 1, 3, 5, 6, 7, 8, 9, 10, 12]
    assert {step.second_person for step in clearances.values()} == {"witness"}


def test_the_published_limits_are_those_of_the_sources():
    recipe = demo("mb_cart20_1").recipe

    def band(key: str, limit: str) -> tuple[dict[str, Decimal], tuple[str | None, str | None]]:
        _, parameter = recipe.parameter(key)
        found = getattr(parameter.limits, limit)
        bounds = {name: getattr(found, name) for name in ("min", "max", "min_exclusive", "max_exclusive") if getattr(found, name) is not None}
        return bounds, parameter.evidence_of(limit)

    assert band("day5_car_pct", "action") == ({"min": Decimal(5)}, ("V", "S2"))
    assert band("haematocrit_in", "hard") == ({"max_exclusive": Decimal(30)}, ("V", "S7"))
    assert band("moi", "action") == ({"min": Decimal(5), "max": Decimal(10)}, ("V", "S3"))
    assert band("dose_deviation", "action") == ({"min": Decimal(-20), "max": Decimal(20)}, ("V", "S2"))
    assert band("total_car_cells", "historical") == ({"min": Decimal("1.7e9"), "max": Decimal("3.8e9")}, ("V", "S2"))
    assert band("fold_expansion", "historical") == ({"min": Decimal(42), "max": Decimal(65)}, ("V", "S2"))
    assert band("received_volume", "action") == ({"min": Decimal(50)}, ("V", "S18"))
    assert band("vector_freezer_temperature", "action") == ({"min": Decimal(-90), "max": Decimal(-60)}, ("V", "S9"))
    limit = next(each for each in recipe.time_limits if each.code == "collection-receipt")
    assert (limit.max, limit.evidence, limit.evidence_source) == ("12 h", "V", "S18")


@pytest.mark.parametrize("name", NAMES)
def test_patient_material_is_scanned_and_never_named(name: str):
    recipe = demo(name).recipe
    words = Counter(word for _, parameter in recipe.parameters() for word in parameter.key.split("_"))

    assert not words.keys() & {"surname", "birth", "birthday", "mrn", "insurance"}
    for step in recipe.steps():
        if step.kind == "labelling" and step.day >= 0:
            assert step.touches_material is not None, step.key


@pytest.mark.parametrize("name", NAMES)
def test_steps_are_given_to_roles_that_may_perform(name: str):
    assert {step.performed_by for step in demo(name).recipe.steps()} <= STEP_ROLES


def test_issue_and_closure_come_after_release():
    after = {name: [stage.code for stage in demo(name).recipe.stages if stage.after_release] for name in NAMES}

    assert after == {"mb_cart20_1": ["A14", "A15"], "ari0001": ["A14"]}


def test_the_short_recipe_is_short_and_still_whole():
    recipe = demo("ari0001").recipe
    kinds = Counter(step.kind for step in recipe.steps())

    assert 18 <= len(planned_steps(recipe)) <= 24
    assert kinds["line_clearance"] == 4
    assert kinds["decision"] == kinds["receipt"] == kinds["order"] == 1
    assert {"moi", "total_car_cells", "dose_per_kg", "fold_expansion", "fill_yield"} <= {parameter.key for _, parameter in recipe.parameters()}


def test_the_dose_of_the_short_recipe_follows_from_the_published_total():
    recipe = demo("ari0001").recipe
    total = Expression.parse(recipe.parameter("total_car_cells")[1].expression or "")
    dose = Expression.parse(recipe.parameter("dose_per_kg")[1].expression or "")

    cells = total.evaluate({"harvest_volume": Decimal(100), "car_concentration": Decimal("1.495e7")})

    assert cells == Decimal("1.495e9")
    assert dose.evaluate({"total_car_cells": cells, "weight_kg": Decimal(70)}) == Decimal("21357142.85714285714285714285714286")
