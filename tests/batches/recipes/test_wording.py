"""What a recipe writes as a code is said to a person in words."""

from decimal import Decimal

import pytest

from batches.recipes.document.loader import parse_recipe
from batches.recipes.document.schema import Dose, DoseCohort
from batches.recipes.wording import cohort_words, event_words, evidence_words, words_of_tests
from tests.builders.judged import JUDGED_RECIPE


def dose(*cohorts: tuple[str, str]) -> Dose:
    return Dose(
        kind="flat", unit="CAR+ cells", cohorts=tuple(DoseCohort(code=code, target=Decimal(target)) for code, target in cohorts), basis="So much.",
        evidence="illustrative",
    )  # fmt: skip


def test_a_cohort_is_said_by_its_target_and_by_its_code_where_there_are_several():
    assert cohort_words(dose(("least", "0.5e6")), "least") == "500000 CAR+ cells"
    assert cohort_words(dose(("least", "5E+6")), "least") == "5e6 CAR+ cells"
    assert cohort_words(dose(("dose_low", "1e6"), ("high", "1e7")), "dose_low") == "dose low: 1e6 CAR+ cells"
    assert cohort_words(dose(("least", "1e6")), "gone") == "gone"


@pytest.mark.parametrize(
    ("tag", "source", "words"),
    [("V", "S1", "read in S1"), ("S", "S2", "quoted in S2"), ("V", None, "read in its source"), ("K", None, "recalled"), ("illustrative", None, "illustrative"), (None, None, "")],
)  # fmt: skip
def test_evidence_is_said_in_words(tag, source, words):
    assert evidence_words(tag, source) == words


def test_moments_and_tests_are_said_by_their_names():
    recipe = parse_recipe(JUDGED_RECIPE)
    limit, sample = recipe.time_limits[0], recipe.samples[0]
    assert event_words(recipe, limit.starts) == "“Sampled at” of step A1.2" and event_words(recipe, "step:A2.1.signed") == "step A2.1 signed"
    assert words_of_tests(sample, {"viability": "Viability"}) == "Viability, appearance"
