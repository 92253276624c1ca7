"""Every status is in its table of moves, can be reached, and stands in the printed diagrams."""

import importlib
from enum import Enum

from django.apps import apps
from django.db import models

from mes.management.commands.draw_states import PAGE, drawn, tables
from mes.records.models import Record
from mes.records.states import StateTable
from tests.house.source import APPS, of_kind, report


def records() -> list[type[models.Model]]:
    return [m for m in apps.get_models() if m._meta.app_label in APPS and issubclass(m, Record)]


def enums_and_tables():
    """(module, its status enums, its tables of moves) of every states.py."""
    for module in of_kind("states"):
        if module.name == "mes.records.states":
            continue
        loaded = importlib.import_module(module.name)
        own = [value for value in vars(loaded).values() if getattr(value, "__module__", "") == module.name or isinstance(value, StateTable)]
        yield (
            module,
            [value for value in own if isinstance(value, type) and issubclass(value, Enum)],
            [value for value in own if isinstance(value, StateTable)],
        )


def test_a_record_with_a_state_has_a_table_of_moves():
    without = {
        m._meta.label for m in records() if m.states is None and any(f.name == "state" for f in m._meta.concrete_fields)
    }
    assert not without, report(without, "Set `states` to the StateTable of the folder's states.py.")
    stateless = {m._meta.label for m in records() if m.states is not None and not any(f.name == "state" for f in m._meta.concrete_fields)}
    assert not stateless, report(stateless, "A record with a table of moves keeps its status in a field named state.")


def test_a_new_record_begins_in_the_first_state_of_its_table():
    odd = {}
    for model in records():
        if model.states is None:
            continue
        default = model._meta.get_field("state").get_default()
        if default and str(default) not in model.states.moves:
            odd[model._meta.label] = f"begins as {default!r}, which its table does not hold"
    assert not odd, report(odd, "Let the default of `state` be the first state of the table.")


def test_every_status_is_in_its_table_and_the_table_holds_no_other():
    odd = {}
    for module, enums, made in enums_and_tables():
        held = {str(state) for table in made for state in table.moves}
        for enum in enums:
            if not made:
                continue
            values = {str(member.value) for member in enum}
            if values & held and values != held & values:
                odd[f"{module.name}.{enum.__name__}"] = f"not in a table: {sorted(values - held)}"
        known = {str(member.value) for enum in enums for member in enum}
        if enums and held - known:
            odd[module.name] = f"in a table and no status: {sorted(held - known)}"
    assert not odd, report(odd, "Write each status into the table of moves, with the states that may follow.")


def test_every_status_can_be_reached_and_every_table_ends():
    odd = {}
    for table in tables():
        reached, waiting = {table.first}, [table.first]
        while waiting:
            new = set(table.moves[waiting.pop()]) - reached
            reached |= new
            waiting += sorted(new)
        if set(table.moves) - reached:
            odd[table.name] = f"never reached from {table.first}: {sorted(set(table.moves) - reached)}"
    assert not odd, report(odd, "Add the move that leads there, or take the status out.")


def test_every_status_fits_its_column():
    long = {
        f"{m._meta.label}.state": state
        for m in records()
        if m.states is not None
        for state in m.states.moves
        if len(state) > (m._meta.get_field("state").max_length or 0)
    }
    assert not long, report(long, "Give the column room for the longest status.")


def test_the_printed_diagrams_are_current():
    assert PAGE.exists(), "Run: python3 manage.py draw_states"
    assert PAGE.read_text() == drawn(), "A table of moves changed. Run: python3 manage.py draw_states"
