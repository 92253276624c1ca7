"""manage.py trace: prints which test shows which requirement into docs/validation/traceability.md."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.management import BaseCommand
from ruamel.yaml import YAML

ROOT = Path(settings.ROOT)
FOLDER = ROOT / "docs" / "validation"
PAGE = FOLDER / "traceability.md"

HEAD = """# Which test shows which requirement

Printed by `python3 manage.py trace` from the marks of the tests (`@pytest.mark.req("SIG-03", case="negative")`) and from
[requirements.yaml](requirements.yaml); a test compares. *Positive*: the right way works. *Negative*: the wrong way is
refused, or detected. A requirement without both is not shown by this version; it stands here all the same.

"""


@dataclass(frozen=True)
class Shown:
    """One test that carries the mark of a requirement."""

    requirement: str
    case: str
    test: str
    """tests/mes/records/test_door.py::test_..."""


@cache  # asked for each requirement by the tests; reading the file takes a good part of a second
def requirements() -> list[dict]:
    """Every requirement as written, in order."""
    return YAML(typ="safe").load((FOLDER / "requirements.yaml").read_text(encoding="utf-8"))["requirements"]


@cache
def marked() -> list[Shown]:
    """Every mark in the tests, read from their source: no test has to run."""
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = str(path.relative_to(ROOT))
        whole = [mark for node in tree.body if _assigns_marks(node) for mark in _marks(node)]
        for function, marks in _tests(tree):
            found += [Shown(requirement, case, f"{name}::{function}") for requirement, case in [*whole, *marks]]
    return found


def _assigns_marks(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets)


def _tests(tree: ast.Module) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            of_class = [mark for decorator in node.decorator_list for mark in _marks(decorator)]
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test_"):
                    yield f"{node.name}::{inner.name}", [*of_class, *(m for d in inner.decorator_list for m in _marks(d))]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name, [mark for decorator in node.decorator_list for mark in _marks(decorator)]


def _marks(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(id, case) of every pytest.mark.req(...) inside, those of single parameters included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.req" and node.args:
            case = next((k.value.value for k in node.keywords if k.arg == "case" and isinstance(k.value, ast.Constant)), "")
            for argument in node.args:
                if isinstance(argument, ast.Constant):
                    yield str(argument.value), str(case)


def page() -> str:
    """The whole page."""
    tests: dict[tuple[str, str], list[str]] = defaultdict(list)
    for shown in marked():
        if shown.test not in tests[shown.requirement, shown.case]:
            tests[shown.requirement, shown.case].append(shown.test)
    known = requirements()
    both = sum(1 for r in known if tests[r["id"], "positive"] and tests[r["id"], "negative"])
    some = sum(1 for r in known if tests[r["id"], "positive"] or tests[r["id"], "negative"])
    lines = [HEAD, f"{len(known)} requirements: {both} shown by tests of both kinds, {some - both} by one, {len(known) - some} by none.\n"]
    area = ""
    for requirement in known:
        if requirement["area"] != area:
            area = requirement["area"]
            lines.append(f"\n## {area[0].upper()}{area[1:]}\n\n| Requirement | Priority | Positive | Negative |\n|---|---|---|---|")
        text = " ".join(requirement["text"].split())
        cells = [_cell(tests[requirement["id"], case]) for case in ("positive", "negative")]
        lines.append(f"| **{requirement['id']}** {text} | {requirement['priority']} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines) + "\n"


def _cell(tests: list[str]) -> str:
    """Each test by its name, linked to its file."""
    return "<br>".join(f"[{_words(test)}](../../{test.partition('::')[0]})" for test in tests) or "none"


def _words(test: str) -> str:
    return test.rpartition("::")[2].removeprefix("test_").replace("_", " ")


class Command(BaseCommand):
    help = "Prints which test shows which requirement into docs/validation/traceability.md."
    requires_system_checks = ()

    def handle(self, *args, **options):
        PAGE.write_text(page(), encoding="utf-8")
        self.stdout.write(f"{PAGE}: {len(marked())} marks, {len(requirements())} requirements")
