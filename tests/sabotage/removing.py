"""Ways to take a control away from the product, for one child process of the sabotage run and for nothing else."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg


@contextmanager
def everywhere(path: str, made: Callable):
    """Inside, `made(original)` stands for the function of this dotted path, in its module and wherever another imported its name."""
    module_name, _, name = path.rpartition(".")
    holder = owner_of(module_name)
    original = vars(holder)[name]
    replaced = made(original)
    holders = [holder]
    if not isinstance(holder, type):
        ours = [m for n, m in list(sys.modules.items()) if n.split(".")[0] in ("mes", "batches", "quality") and m is not holder]
        holders += [m for m in ours if vars(m).get(name) is original]
    for each in holders:
        setattr(each, name, replaced)
    try:
        yield
    finally:
        for each in holders:
            setattr(each, name, original)


def owner_of(path: str):
    """The module or class of a dotted path."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


def answer(value=None) -> Callable:
    """The function does nothing and returns this."""
    return lambda original: functools.wraps(original)(lambda *args, **kwargs: value)


def silent(*codes: str) -> Callable:
    """The function no longer refuses with these codes."""

    def made(original):
        @functools.wraps(original)
        def quiet(*args, **kwargs):
            from mes.errors import RuleBroken

            try:
                return original(*args, **kwargs)
            except RuleBroken as broken:
                if broken.code not in codes:
                    raise
                return None

        return quiet

    return made


def without_line(name: str) -> Callable[[], object]:
    """The gate's line holds whatever is behind it."""

    @contextmanager
    def away():
        from quality.release import gate

        kept = gate.LINES
        (original,) = [line for line in kept if line.__name__ == name]

        def content(ground):
            return (replace(line, ok=True) for line in original(ground))

        gate.LINES = tuple(content if line is original else line for line in kept)
        try:
            yield
        finally:
            gate.LINES = kept

    return away


def code(path: str, made: Callable) -> Callable[[], object]:
    """Removal of a control that is a function."""
    return lambda: everywhere(path, made)


def database(statement: str = "", make: Callable[[psycopg.Connection], object] | None = None) -> Callable[[], object]:
    """Removal of a control that stands in the database: made as superuser in every database that the tests copy."""

    @contextmanager
    def away():
        from tests.database import Databases

        original = Databases.copy

        def copy(self):
            made = original(self)
            with made.connect(autocommit=True) as admin:
                make(admin) if make else admin.execute(statement)
            return made

        Databases.copy = copy
        try:
            yield
        finally:
            Databases.copy = original

    away.in_database = True
    return away


def alone(away: Callable[[], object]) -> Callable[[], object]:
    """A removal in a process of its own: what its tests commit is there in a second round, and would fail them for another reason."""

    def apart():
        return away()

    apart.in_database = True
    return apart


def rewritten(function: str, old: str, new: str) -> Callable[[], object]:
    """A function of the database (`guard.name`, or a pattern for several) in whose text this stands instead of that."""

    def make(admin: psycopg.Connection) -> None:
        found = admin.execute(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'guard'::regnamespace AND 'guard.' || proname LIKE %s", [function]
        ).fetchall()
        assert found, f"there is no {function}"
        for (text,) in found:
            assert old in text, f"{function} no longer says: {old}"
            admin.execute(text.replace(old, new))

    return database(make=make)


def on_tables(action: str, where: str = "true") -> Callable[[], object]:
    """An action on every guarded table; `%1$I` is its name."""
    return database(
        "DO $x$ DECLARE t record; BEGIN FOR t IN SELECT DISTINCT c.relname AS name FROM pg_class c JOIN pg_trigger g ON g.tgrelid = c.oid "
        f"WHERE c.relnamespace = 'public'::regnamespace AND g.tgname LIKE 'guard\\_%' AND {where} LOOP EXECUTE format('{action}', t.name); END LOOP; END $x$"
    )


def without_trigger(name: str, where: str = "true") -> Callable[[], object]:
    return on_tables(f"DROP TRIGGER {name} ON %1$I", f"g.tgname = '{name}' AND {where}")


ROOT = Path(__file__).resolve().parents[2]
