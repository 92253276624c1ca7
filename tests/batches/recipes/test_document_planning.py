"""From the written recipe to the steps of a lot, and what differs between two versions."""

from datetime import timedelta
from decimal import Decimal

import pytest

from batches.recipes.document.compare import Change, diff
from batches.recipes.document.fields import span
from batches.recipes.document.loader import parse_recipe
from batches.recipes.document.planning import implied_values, planned_entries, planned_steps
from batches.recipes.document.schema import Band
from tests.builders.recipes import SOUND


def test_repeats_are_expanded_by_day_and_keep_the_order_written():
    runs = planned_steps(parse_recipe(SOUND))

    assert [run.key for run in runs] == [
        "A0.1", "A1.1@d0", "A1.2@d0", "A1.1@d1", "A1.2@d1", "A1.1@d2", "A1.2@d2", "A2.1", "A2.2", "A2.3", "A3.1",
    ]  # fmt: skip
    assert [run.order for run in runs] == list(range(1, 12))
    assert runs[4].occurrence_day == 1


def test_entries_are_parameters_and_material_lines_of_every_run():
    assert planned_entries(parse_recipe(SOUND)) == 3 + 3 * 1 + 3 * (3 + 1) + 5 + 0 + 3 + 1


def test_the_dose_target_follows_from_the_recorded_cohort():
    recipe = parse_recipe(SOUND)

    assert implied_values(recipe, {"dose_cohort": "high"}) == {"dose_target": Decimal("1e6")}
    assert implied_values(recipe, {}) == {}
    with pytest.raises(KeyError):
        implied_values(recipe, {"dose_cohort": "huge"})


@pytest.mark.parametrize(("text", "expected"), [("30 min", timedelta(minutes=30)), ("12 h", timedelta(hours=12)), ("1.5 d", timedelta(hours=36))])
def test_a_time_span_is_read_exactly(text: str, expected: timedelta):
    assert span(text) == expected


def test_a_time_span_without_unit_is_refused():
    with pytest.raises(ValueError, match="is not a time span"):
        span("30")


@pytest.mark.parametrize(
    ("band", "inside", "outside"),
    [
        (Band(min=Decimal(5)), "5", "4.999"),
        (Band(min_exclusive=Decimal("5e5")), "500000.1", "500000"),
        (Band(max=Decimal(8)), "8", "8.01"),
        (Band(max_exclusive=Decimal(30)), "29.99", "30"),
    ],
)
def test_a_bound_is_inclusive_unless_named_exclusive(band: Band, inside: str, outside: str):
    assert band.contains(Decimal(inside))
    assert not band.contains(Decimal(outside))


def test_equal_recipes_do_not_differ():
    assert diff(parse_recipe(SOUND), parse_recipe(SOUND)) == []


def test_a_changed_limit_is_one_difference_named_by_codes():
    changed = parse_recipe(SOUND.replace("action: {min: 1e4,", "action: {min: 2e4,"))

    assert diff(parse_recipe(SOUND), changed) == [Change("stages[A1].steps[A1.2].parameters[cells].limits.action.min", "changed", "10000", "20000")]


def test_an_added_parameter_is_one_difference_and_moves_nothing():
    line = "          - {key: fed_volume, name: Volume fed, type: decimal, unit: mL}\n"
    added = parse_recipe(SOUND.replace(line, "          - {key: fed_at, name: Fed at, type: datetime}\n" + line))

    there, back = diff(parse_recipe(SOUND), added), diff(added, parse_recipe(SOUND))

    assert [(each.field, each.kind) for each in there] == [("stages[A1].steps[A1.2].parameters[fed_at]", "added")]
    assert [(each.field, each.kind) for each in back] == [("stages[A1].steps[A1.2].parameters[fed_at]", "removed")]


def test_swapped_steps_are_told_as_moved():
    swapped = parse_recipe(SOUND)
    stage = swapped.stages[2]
    moved = swapped.model_copy(update={"stages": (*swapped.stages[:2], stage.model_copy(update={"steps": stage.steps[::-1]}), swapped.stages[3])})

    assert [(each.field, each.kind) for each in diff(swapped, moved)] == [("stages[A2].steps", "moved")]


def test_a_number_written_with_more_digits_is_a_difference():
    assert [each.kind for each in diff(parse_recipe(SOUND), parse_recipe(SOUND.replace("max: 300", "max: 300.0")))] == ["changed"]
