"""The sabotage run: every control is taken away, and a test of its requirement has to fail. Minutes long: run with --sabotage."""

import os

import pytest

from tests.sabotage.controls import CONTROLS
from tests.sabotage.removing import ROOT, answer, everywhere, silent
from tests.sabotage.run import PAGE, page, without, without_each


def control(name):
    return next(each for each in CONTROLS if each.name == name)


@pytest.mark.sabotage
def test_no_control_is_taken_away_without_a_test_that_misses_it():
    chosen = os.environ.get("CARTULARY_SABOTAGE_ONLY", "").split()
    outcomes = without_each(each for each in CONTROLS if not chosen or each.name in chosen)
    print("\n" + "\n".join(outcome.line for outcome in outcomes))
    if not chosen:
        PAGE.write_text(page(outcomes), encoding="utf-8")
    unnoticed = {outcome.control.name: outcome.why for outcome in outcomes if not outcome.noticed}
    assert not unnoticed, "\n".join(f"{name}: {why}" for name, why in unnoticed.items()) + "\nWrite the test that refuses, or detects, what this let through."


def test_a_control_taken_away_is_missed_by_a_test_of_its_requirement():
    outcome = without(control("idle_lock"))
    assert outcome.noticed.startswith("tests/mes/people/test_access.py::"), outcome.why


def test_what_is_taken_away_comes_back():
    from mes.errors import RuleBroken
    from mes.signatures import rules

    with everywhere("mes.signatures.rules.check_different_person", silent("same_person")):
        assert rules.check_different_person(1, 1, "No.") is None
    with everywhere("mes.signatures.rules.check_different_person", answer()):
        assert rules.check_different_person(1, 1, "No.") is None
    with pytest.raises(RuleBroken):
        rules.check_different_person(1, 1, "No.")


@pytest.mark.sabotage
def test_the_printed_table_names_every_control_and_none_unnoticed():
    lines = {line.split("|")[1].strip(): line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ") and "---" not in line}
    lines.pop("Control")
    assert set(lines) == {each.name for each in CONTROLS}, "Run: python3 manage.py test --sabotage"
    assert len(lines) >= 25 and not [name for name, line in lines.items() if "nobody" in line]


def test_the_product_has_no_switch_for_it():
    named = [str(path) for app in ("mes", "batches", "quality") for path in (ROOT / app).rglob("*.py") if "SABOTAGE" in path.read_text(encoding="utf-8")]
    assert not named
