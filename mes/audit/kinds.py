"""Every kind of act that the trail can hold, and which of them are routine: told by the apps, so that the trail is read without importing them."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

_routine: set[str] = set()


def routine(events: Collection[str]) -> None:
    """Register kinds of act that record work as planned. What nobody registers is significant: an unknown kind is never routine."""
    _routine.update(map(str, events))


def routine_events() -> list[str]:
    """The kinds that are routine."""
    return sorted(_routine)


def is_routine(events: Collection[str]) -> bool:
    """Whether every kind of an entry is routine; one without a kind is not."""
    return bool(events) and _routine.issuperset(map(str, events))


@cache
def every_event() -> tuple[str, ...]:
    """The codes of every app's events.py, sorted."""
    names = [f"{config.name}.events" for config in apps.get_app_configs() if config.name in {"mes", "batches", "quality"}]
    return tuple(sorted(str(event) for name in names if find_spec(name) for event in import_module(name).Event))
