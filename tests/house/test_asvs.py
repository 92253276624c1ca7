"""OWASP ASVS 5.0.0 was gone through whole: every number has one line, and what a line names exists."""

import ast
from functools import cache

import pytest

from mes.management.commands.draw_asvs import PAGE, STATES, chapters, page
from tests.house.source import ROOT, report

#: Sections of the standard with the level of each number in its order (5.0.0: 70, 183 and 92 numbers of levels 1, 2 and 3).
LEVELS = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123",
    "2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23",
    "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5": "11122333", "3.6": "3", "3.7": "22333",
    "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222",
    "5.1": "2", "5.2": "112333", "5.3": "113", "5.4": "222",
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333", "6.6": "2223", "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222",
    "10.1": "22", "10.2": "223", "10.3": "22223", "10.4": "1111122222233333", "10.5": "22222", "10.6": "22", "10.7": "222",
    "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222", "11.5": "23", "11.6": "23", "11.7": "33",
    "12.1": "12233", "12.2": "11", "12.3": "22223",
    "13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233",
    "14.1": "22", "14.2": "12223333", "14.3": "122",
    "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333",
    "16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223",
    "17.1": "23", "17.2": "22223333", "17.3": "22",
}  # fmt: skip
WHOLE = ("6.", "7.", "16.")
"""Chapters gone through up to level 3."""


def standard() -> dict[str, int]:
    """Every number of the standard with its level."""
    return {f"{section}.{at}": int(level) for section, levels in LEVELS.items() for at, level in enumerate(levels, 1)}


def lines() -> dict[str, dict]:
    return {number: line for chapter in chapters().values() for number, line in chapter.items()}


@cache
def named_tests(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def gone(shown: str) -> bool:
    path, _, test = shown.partition("::")
    return not (ROOT / path).exists() or (bool(test) and test not in named_tests(path))


def test_the_list_of_the_standard_is_whole():
    levels = list(standard().values())
    assert [levels.count(level) for level in (1, 2, 3)] == [70, 183, 92]


@pytest.mark.req("VAL-01", case="positive")
def test_every_number_has_one_line_and_its_level():
    asked = {number: level for number, level in standard().items() if level < 3 or number.startswith(WHOLE)}
    found = {number: line["level"] for number, line in lines().items()}
    assert sum(len(chapter) for chapter in chapters().values()) == len(found)
    assert found == asked, report(set(asked.items()) ^ set(found.items()), "docs/validation/asvs.yaml: one line for each number, with its level.")
    misplaced = {number for title, chapter in chapters().items() for number in chapter if not title.startswith(f"V{number.split('.')[0]} ")}
    assert not misplaced, report(misplaced, "Move it into its chapter.")


@pytest.mark.req("VAL-01", case="negative")
def test_every_file_and_test_that_is_named_exists():
    found = {number: shown for number, line in lines().items() for shown in line.get("shown", []) if gone(shown)}
    assert not found, report(found, "Name the file or test that shows it now, or write that it is not met.")


def test_a_name_that_is_gone_is_noticed():
    assert gone("tests/house/test_asvs.py::test_that_nobody_wrote") and gone("mes/nothing.py") and not gone("tests/house/test_asvs.py")


@pytest.mark.req("VAL-01", case="negative")
def test_nothing_is_met_without_a_place_and_nothing_else_without_a_reason():
    every = lines()
    odd = {number for number, line in every.items() if line["state"] not in STATES or not line["about"]}
    unshown = {number for number, line in every.items() if line["state"] == "met" and not line.get("shown")}
    bare = {number for number, line in every.items() if line["state"] != "met" and len(line.get("why", "")) < 8}
    thin = {number for number, line in every.items() if line["state"] == "not met" and len(line["why"]) < 40}
    assert not (odd | unshown | bare | thin), report(odd | unshown | bare | thin, "Say where it is shown, or why it is not.")


def test_the_printed_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == page(), "docs/validation/asvs.yaml changed. Run: python3 manage.py draw_asvs"
