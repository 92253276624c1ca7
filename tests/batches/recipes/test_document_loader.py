"""Text to recipe: what is refused, where it is told, and what comes back."""

from decimal import Decimal

import pytest

from batches.recipes.document.loader import digest, export, parse_recipe, read_recipe
from batches.recipes.document.problems import RecipeRefused
from batches.recipes.document.reading import read
from tests.builders.recipes import SOUND, UNREADABLE, BadRecipe


@pytest.mark.req("MBR-02", case="positive")
def test_a_sound_text_becomes_a_recipe():
    recipe = parse_recipe(SOUND)

    assert (recipe.code, recipe.version) == ("TRIAL-A", "1.0")
    assert [step.key for step in recipe.steps()] == ["A0.1", "A1.1", "A1.2", "A2.1", "A2.2", "A2.3", "A3.1"]
    assert recipe.step("A1.2@d2").stage == "A1"
    assert recipe.dose.target("high") == Decimal("1e6")
    assert recipe.time_limits[0].max_span.total_seconds() == 5400


@pytest.mark.req("MBR-02", case="negative")
@pytest.mark.parametrize("bad", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_bad_text_is_refused_with_line_and_field(bad: BadRecipe):
    with pytest.raises(RecipeRefused) as refused:
        parse_recipe(bad.text)

    problem = next(each for each in refused.value.problems if each.code == bad.code)
    assert problem.field == bad.field
    assert bad.line_holds in bad.text.splitlines()[problem.line - 1]
    assert refused.value.code == "recipe_refused"
    assert refused.value.status == 422


@pytest.mark.parametrize("field", ["code", "product", "specification", "dose", "shelf_life", "materials", "containers", "stages"])
@pytest.mark.req("MBR-02", case="negative")
def test_a_recipe_that_lacks_an_element_names_it(field: str):
    lines, kept, skipping = SOUND.splitlines(), [], False
    for line in lines:
        skipping = line.startswith(f"{field}:") or (skipping and line.startswith(" "))
        kept += [] if skipping else [line]

    with pytest.raises(RecipeRefused) as refused:
        parse_recipe("\n".join(kept))

    assert [(each.code, each.field) for each in refused.value.problems] == [("field_missing", field)]


def test_all_problems_are_told_at_once_in_the_order_of_the_text():
    text = SOUND.replace('version: "1.0"', "version: 1.0").replace("kind: decision", "kind: decisoin").replace("max: 90 min", "max: soon")

    with pytest.raises(RecipeRefused) as refused:
        parse_recipe(text)

    assert [each.field for each in refused.value.problems] == ["version", "stages[3].steps[2].kind", "time_limits[1].max"]
    assert refused.value.detail["problems"][0]["line"] == 4
    assert "2 more problems" in refused.value.sentence


def test_an_unknown_field_is_answered_with_the_nearest_known_one():
    with pytest.raises(RecipeRefused, match="did you mean 'second_person'"):
        parse_recipe(SOUND.replace("second_person: verify", "second_persn: verify"))


def test_numbers_are_decimals_of_the_characters_written():
    tree = read("[0.1, 1e5, 5.00, 7]").tree

    assert tree == (Decimal("0.1"), Decimal("1e5"), Decimal("5.00"), 7)
    assert str(tree[2]) == "5.00"


def test_what_yaml_once_turned_into_other_values_stays_text():
    assert read("[no, on, 12:30, 2026-01-01, ~]").tree == ("no", "on", "12:30", "2026-01-01", None)


@pytest.mark.parametrize("written", ["0010", ".5", "1.", "0x1F", ".inf", ".nan"])
def test_a_number_that_can_be_misread_is_refused(written: str):
    assert [each.code for each in read(f"a: {written}").problems] == ["number_written_oddly"]


@pytest.mark.parametrize(
    "text",
    ["", "# only a comment", "[" * 3000, "a: *b", "a: !!python/object:os.system x", "a: 1\n---\nb: 2", "\x00", "a:\n\t- x", "<<: {a: 1}"],
)
def test_a_text_that_is_no_plain_document_is_refused_and_never_raises(text: str):
    assert read(text).problems


def test_a_text_that_is_too_long_is_refused_before_it_is_read():
    assert read("a" * 1_000_001).problems[0].code == "text_too_long"


def test_an_export_reads_back_to_the_same_recipe():
    recipe = parse_recipe(SOUND)

    assert parse_recipe(export(recipe)) == recipe


def test_an_export_keeps_texts_that_look_like_numbers():
    recipe = parse_recipe(SOUND.replace("name: Device", 'name: "1.10"').replace("title: Go on?", 'title: "no"'))

    assert parse_recipe(export(recipe)) == recipe


def test_the_digest_is_that_of_the_text_whatever_the_line_ends():
    assert digest(SOUND) == digest(SOUND.replace("\n", "\r\n"))
    assert digest(SOUND) != digest(SOUND.replace("1e6", "1.0e6"))
    assert len(digest(SOUND)) == 64


def test_a_problem_after_windows_line_ends_names_the_right_line():
    with pytest.raises(RecipeRefused) as refused:
        read_recipe(SOUND.replace('version: "1.0"', "version: 1.0").replace("\n", "\r\n"))

    assert refused.value.problems[0].line == 4
