"""What a process keeps ready of the recipes it calculated with."""

import pytest

from batches.execution.services import recording
from batches.recipes.document.loader import parse_recipe
from tests.builders.recipes import SOUND


@pytest.fixture
def nothing_kept(monkeypatch):
    monkeypatch.setattr(recording, "_known", {})


def test_a_process_keeps_no_more_recipes_than_its_number(nothing_kept):
    recipes = [parse_recipe(SOUND.replace('version: "1.0"', f'version: "1.{number}"')) for number in range(recording.KEPT + 5)]
    asked = [recording._of(recipe) for recipe in recipes]
    assert all(found and order for found, order in asked), "the recipe calculates something"
    assert len(recording._known) == recording.KEPT
    assert [kept[0].version for kept in recording._known.values()] == [recipe.version for recipe in recipes[5:]]


def test_one_that_is_asked_for_again_stays_and_another_goes(nothing_kept, monkeypatch):
    monkeypatch.setattr(recording, "KEPT", 2)
    first, second, third = (parse_recipe(SOUND) for _ in range(3))
    answer = recording._of(first)
    recording._of(second)
    assert recording._of(first)[0] is answer[0], "made once"
    recording._of(third)
    assert set(recording._known) == {id(first), id(third)}
