"""What must hold between the parts of a recipe, each fault told with line and field."""

import pytest

from batches.recipes.document.checks import Known, check_recipe, check_recipe_text
from batches.recipes.document.loader import parse_recipe, read_recipe
from batches.recipes.document.problems import RecipeRefused
from tests.builders.recipes import SOUND, UNSOUND, BadRecipe


@pytest.mark.req("MBR-04", case="positive")
def test_a_sound_recipe_has_no_problem():
    found = read_recipe(SOUND)

    assert check_recipe(found.recipe, found.positions, Known(specifications={"TRIAL-REL": ["viability"]})) == ()


@pytest.mark.req("MBR-04", case="negative")
@pytest.mark.parametrize("bad", UNSOUND.values(), ids=UNSOUND.keys())
def test_an_unsound_recipe_is_refused_with_line_and_field(bad: BadRecipe):
    with pytest.raises(RecipeRefused) as refused:
        check_recipe_text(bad.text)

    told = [each for each in refused.value.problems if each.code == bad.code and each.field == bad.field]
    assert told, [str(each) for each in refused.value.problems]
    assert bad.line_holds in bad.text.splitlines()[told[0].line - 1]


def test_an_unknown_name_is_answered_with_the_nearest_parameter():
    with pytest.raises(RecipeRefused, match=r"total_cars.*Did you mean 'total_car'"):
        check_recipe_text(UNSOUND["unknown name in an expression"].text)


def test_a_circle_is_told_once_with_the_whole_way_round():
    found = read_recipe(UNSOUND["circle"].text)

    circles = [each for each in check_recipe(found.recipe, found.positions) if each.code == "circular"]
    assert len(circles) == 1
    assert "total_car -> dose_per_kg -> total_car" in circles[0].message


def test_a_calculation_that_needs_itself_is_a_circle():
    found = read_recipe(SOUND.replace("expression: fed_volume * cells", "expression: culture_cells"))

    assert [each.code for each in check_recipe(found.recipe, found.positions)] == ["circular"]


def test_the_last_of_repeated_values_may_be_used_later():
    text = SOUND.replace("expression: total_car / weight_kg", "expression: total_car / weight_kg * (last(cells) / last(cells))")

    assert check_recipe_text(text).code == "TRIAL-A"


def test_a_specification_and_a_criterion_that_do_not_exist_are_told():
    found = read_recipe(SOUND)

    unknown_specification = check_recipe(found.recipe, found.positions, Known(specifications={"TRIAL-RELS": []}))
    unknown_criterion = check_recipe(found.recipe, found.positions, Known(specifications={"TRIAL-REL": ["viabilty"]}))

    assert [(each.field, each.code) for each in unknown_specification] == [("specification", "reference_unknown")]
    assert "did you mean 'TRIAL-RELS'" in unknown_specification[0].message
    assert [each.field for each in unknown_criterion] == ["samples[1].tests[1]"]


def test_every_manufacturing_day_wants_its_own_line_clearance():
    text = SOUND.replace("day: 0\n        repeat: {from_day: 0, to_day: 2}\n        performed_by: operator\n        second_person: witness",
                         "day: 0\n        performed_by: operator\n        second_person: witness")  # fmt: skip
    found = read_recipe(text)

    told = [each.message for each in check_recipe(found.recipe, found.positions)]
    assert {message.split(" starts")[0] for message in told} == {"day 1", "day 2"}


def test_the_name_of_the_dose_target_is_kept_free():
    found = read_recipe(SOUND.replace("key: fed_volume", "key: dose_target").replace("fed_volume * cells", "harvest_volume * cells"))

    assert "name_reserved" in {each.code for each in check_recipe(found.recipe, found.positions)}


def test_checks_work_without_positions():
    problems = check_recipe(parse_recipe(UNSOUND["missing unit"].text))

    assert [(each.line, each.code) for each in problems] == [(1, "unit_missing")]


@pytest.mark.req("MBR-04", case="positive")
def test_a_worked_example_that_agrees_to_the_digits_written_is_taken():
    text = SOUND.replace(
        "expression: total_car / weight_kg", "expression: total_car / weight_kg, examples: [{values: {total_car: 1.495e9, weight_kg: 70}, result: 2.136e7}]"
    )

    assert check_recipe_text(text).parameter("dose_per_kg")[1].examples[0].values["weight_kg"] == 70


def test_an_example_that_lacks_a_value_is_told():
    found = read_recipe(
        SOUND.replace("expression: total_car / weight_kg", "expression: total_car / weight_kg, examples: [{values: {total_car: 7e7}, result: 1e6}]")
    )

    assert [each.code for each in check_recipe(found.recipe, found.positions)] == ["missing_value"]
