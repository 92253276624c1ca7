"""The sabotage run: every control is taken away, and a test of its requirement has to fail. Minutes long: run with --sabotage."""

import os
import re

import pytest
from ruamel.yaml import YAML

from mes.management.commands.trace import marked
from tests.sabotage.controls import CONTROLS
from tests.sabotage.removing import ROOT, answer, everywhere, silent
from tests.sabotage.run import PAGE, page, without_each

ASVS = ROOT / "docs" / "validation" / "asvs.yaml"


def shown_by_asvs() -> dict[str, list[str]]:
    """What asvs.yaml names for each number; tests/house/test_asvs.py checks that all of it exists."""
    chapters = YAML(typ="safe").load(ASVS.read_text(encoding="utf-8")).values()
    return {number: entry.get("shown", []) for chapter in chapters for number, entry in chapter.items()}


def control(name):
    return next(each for each in CONTROLS if each.name == name)


@pytest.mark.sabotage
def test_no_control_is_taken_away_without_a_test_that_misses_it():
    chosen = os.environ.get("CARTULARY_SABOTAGE_ONLY", "").split()
    outcomes, failing = without_each(each for each in CONTROLS if not chosen or each.name in chosen)
    print("\n" + "\n".join(outcome.line for outcome in outcomes))
    unnoticed = {outcome.control.name: outcome.why for outcome in outcomes if not outcome.missed}
    assert not failing, "These fail with every control in place and so show nothing:\n" + "\n".join(f"{test}: {why}" for test, why in failing.items())
    assert not unnoticed, "\n".join(f"{name}: {why}" for name, why in unnoticed.items()) + "\nWrite the test that refuses, or detects, what this let through."
    if not chosen:
        PAGE.write_text(page(outcomes), encoding="utf-8")


def test_a_control_taken_away_is_missed_by_a_test_of_its_requirement():
    outcomes, failing = without_each([control("idle_lock")])
    assert not failing
    assert outcomes[0].missed[0].startswith("tests/mes/people/test_access.py::"), outcomes[0].why


def test_every_control_names_tests_that_carry_the_mark_of_its_requirement():
    shown = {(each.requirement, each.test) for each in marked()}
    bare = {}
    asvs = shown_by_asvs()
    for each in CONTROLS:
        for wanted in each.tests.split():
            file, _, part = wanted.partition("::")
            if each.of_asvs:
                if not any(test.startswith(f"{file}::") and part in test for test in asvs[each.of_asvs]):
                    bare[each.name] = wanted
            elif not any(test.startswith(f"{file}::") and part in test.rpartition("::")[2] for name, test in shown if name in each.requirement.split()):
                bare[each.name] = wanted
    assert not bare, f"No test with the mark: {bare}"


def test_every_control_has_a_name_of_its_own():
    names = [each.name for each in CONTROLS]
    assert len(names) == len(set(names))


def test_what_is_taken_away_comes_back():
    from mes.errors import RuleBroken
    from mes.signatures import rules

    with everywhere("mes.signatures.rules.check_different_person", silent("same_person")):
        assert rules.check_different_person(1, 1, "No.") is None
    with everywhere("mes.signatures.rules.check_different_person", answer()):
        assert rules.check_different_person(1, 1, "No.") is None
    with pytest.raises(RuleBroken):
        rules.check_different_person(1, 1, "No.")


def test_the_printed_table_names_every_control_and_none_unnoticed():
    text = PAGE.read_text(encoding="utf-8")
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| ") and "---" not in line}
    lines.pop("Control")
    assert list(lines) == [each.name for each in CONTROLS], "Controls changed. Run: python3 manage.py test --sabotage"
    assert len(lines) >= 25 and not [name for name, line in lines.items() if "**nobody**" in line]
    asvs = [test for each in CONTROLS if each.of_asvs for test in shown_by_asvs()[each.of_asvs]]
    tests = {test.rpartition("/")[2] for test in [*(each.test for each in marked()), *asvs]}
    gone = {name for name in re.findall(r"`(test_\w+\.py::\w+)`", text) if name not in tests}
    assert not gone, f"These tests are no more: {sorted(gone)}. Run: python3 manage.py test --sabotage"


def test_the_product_has_no_switch_for_it():
    named = [str(path) for app in ("mes", "batches", "quality") for path in (ROOT / app).rglob("*.py") if "SABOTAGE" in path.read_text(encoding="utf-8")]
    assert not named
