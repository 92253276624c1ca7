"""The project's own sources as the house tests read them: modules, functions, names."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("mes", "batches", "quality")


@dataclass(frozen=True)
class Module:
    """One Python file of ours."""

    path: Path

    @property
    def name(self) -> str:
        """mes.people.services.access"""
        words = list(self.path.relative_to(ROOT).with_suffix("").parts)
        return ".".join(words[:-1] if words[-1] == "__init__" else words)

    @property
    def kind(self) -> str:
        """The kind of file: services for services.py and for services/access.py alike."""
        parts = self.path.relative_to(ROOT).parts
        return parts[2].removesuffix(".py") if len(parts) > 2 else parts[-1].removesuffix(".py")

    @property
    def folder(self) -> str:
        """The folder of the domain word: mes.people."""
        return ".".join(self.path.relative_to(ROOT).parts[:2])

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.path)

    def functions(self) -> Iterator[ast.FunctionDef]:
        """Functions at the top of the file."""
        yield from (node for node in self.tree.body if isinstance(node, ast.FunctionDef))

    def where(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def modules(*, migrations: bool = False) -> list[Module]:
    """Every Python file of the three apps, without migrations unless asked for."""
    paths = (path for app in APPS for path in (ROOT / app).rglob("*.py"))
    return [Module(path) for path in sorted(paths) if migrations or "migrations" not in path.parts]


def of_kind(kind: str) -> list[Module]:
    return [module for module in modules() if module.kind == kind]


@cache
def load_all(kind: str) -> None:
    """Imports every file of a kind, so that what registers itself is there."""
    for module in of_kind(kind):
        importlib.import_module(module.name)


def calls(node: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Each call inside, by its dotted name as written: rules.check_can_sign."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            yield dotted(inner.func), inner


def dotted(node: ast.AST) -> str:
    """transaction.atomic, or "" for what has no name; calls in between are left out: a().b is .b"""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def texts(tree: ast.AST) -> Iterator[tuple[str, ast.Constant]]:
    """Each text inside that is no docstring."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value, node


def decorators(function: ast.FunctionDef) -> set[str]:
    return {dotted(d.func if isinstance(d, ast.Call) else d).split(".")[-1] for d in function.decorator_list}


def report(found: dict | list | set, what: str) -> str:
    """A failing message: one line for each finding, then what to do."""
    lines = [f"  {key}: {value}" for key, value in found.items()] if isinstance(found, dict) else [f"  {one}" for one in sorted(found)]
    return "\n".join(["", *lines, what])
