"""Every mark names a requirement that exists, and the printed table is current."""

import re

import pytest

from mes.management.commands.trace import FOLDER, PAGE, marked, page, requirements
from tests.house.source import report


def test_every_mark_names_a_requirement_that_exists():
    known = {requirement["id"] for requirement in requirements()}
    unknown = {shown.test: shown.requirement for shown in marked() if shown.requirement not in known}
    assert not unknown, report(unknown, "docs/validation/requirements.yaml holds no such id.")


def test_every_requirement_is_whole_and_has_an_id_of_its_own():
    every = requirements()
    ids = [requirement["id"] for requirement in every]
    assert len(ids) == len(set(ids))
    assert len(ids) > 100
    thin = {r["id"] for r in every if not all(r.get(part) for part in ("area", "text", "sources", "how_to_prove", "priority"))}
    assert not thin, report(thin, "Write area, text, sources, how_to_prove and priority.")


#: Areas of the records' trustworthiness: a must of them is proven, and no reason stands in for the proof.
TRUST = ("AUD", "SIG", "ACC", "REC", "DI")


def not_shown(marks=None) -> dict[str, str]:
    """Each requirement without its proof: a must without a negative case, a should without any."""
    shown = {(each.requirement, each.case) for each in (marked() if marks is None else marks)}
    found = {}
    for requirement in requirements():
        name, priority = requirement["id"], requirement["priority"]
        if priority == "must" and (name, "negative") not in shown:
            found[name] = "a must without a negative case"
        if priority == "should" and not shown & {(name, "positive"), (name, "negative")}:
            found[name] = "a should without any test"
    return found


def named_as_not_shown() -> dict[str, str]:
    """The ids of the table "Not shown yet" in docs/validation/README.md, with their reasons."""
    rest = (FOLDER / "README.md").read_text(encoding="utf-8").partition("## What is not there yet")[2]
    return dict(re.findall(r"^\| ([A-Z]+-\d+) \| (.{20,}) \|$", rest, re.M))


@pytest.mark.req("VAL-01", case="negative")
def test_every_must_of_trust_has_a_negative_case_and_no_reason_stands_in_for_it():
    found = {name: why for name, why in not_shown().items() if name.split("-")[0] in TRUST and "must" in why}
    assert not found, report(found, "Write the test in which the product refuses or detects. For these areas nothing else counts.")


@pytest.mark.req("VAL-01", case="negative")
def test_every_other_gap_is_named_with_its_reason():
    found = {name: why for name, why in not_shown().items() if name not in named_as_not_shown()}
    assert not found, report(found, "Write the test in which the product refuses or detects, or name it with its reason in docs/validation/README.md.")


@pytest.mark.req("VAL-01", case="negative")
def test_a_must_whose_negative_marks_are_gone_fails_the_build():
    every = marked()
    for name in sorted({each.requirement for each in every if each.case == "negative" and each.requirement.split("-")[0] in TRUST}):
        rest = [each for each in every if (each.requirement, each.case) != (name, "negative")]
        must = next(each["priority"] for each in requirements() if each["id"] == name) == "must"
        assert not must or not_shown(rest)[name] == "a must without a negative case"


def test_nothing_that_is_shown_stands_among_what_is_not():
    found = set(named_as_not_shown()) - set(not_shown())
    assert not found, report(found, "A test shows these by now: take them out of docs/validation/README.md.")


def test_the_printed_table_is_current():
    assert PAGE.exists(), "Run: python3 manage.py trace"
    assert PAGE.read_text(encoding="utf-8") == page(), "Tests or requirements changed. Run: python3 manage.py trace"
