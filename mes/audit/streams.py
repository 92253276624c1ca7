"""What a stream is called by people: each app names its own kinds, so that the trail can be read without importing them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping

Names = Callable[[set[uuid.UUID]], Mapping[uuid.UUID, str]]

Lots = Callable[[str], Iterable[uuid.UUID]]

_names: dict[str, Names] = {}
_lots: list[Lots] = []


def name_with(kind: str, names: Names) -> None:
    """Register how streams of a kind are named: `names(ids)` gives the words for each id, in one query."""
    _names[kind] = names


def find_lots_with(lots: Lots) -> None:
    """Register how lots are found by what a person types: `lots(text)` gives the ids."""
    _lots[:] = [lots]


def lots_called(text: str) -> set[uuid.UUID]:
    """The ids of the lots that a person means by these words."""
    return {key for lots in _lots for key in lots(text)}


def split(stream: str) -> tuple[str, uuid.UUID | None]:
    """Kind and id of a stream's name; the id is None where the name holds none."""
    kind, _, rest = stream.partition(":")
    try:
        return kind, uuid.UUID(rest)
    except ValueError:
        return kind, None


def names_of(streams: Iterable[str]) -> dict[str, str]:
    """The words for each stream: "Person Maya Okafor", else the kind and the end of the id."""
    wanted: dict[str, set[uuid.UUID]] = {}
    parts = {stream: split(stream) for stream in set(streams)}
    for kind, key in parts.values():
        if key is not None:
            wanted.setdefault(kind, set()).add(key)
    found = {kind: _names[kind](keys) if kind in _names else {} for kind, keys in wanted.items()}
    return {stream: _words(kind, key, found.get(kind, {})) for stream, (kind, key) in parts.items()}


def _words(kind: str, key: uuid.UUID | None, names: Mapping[uuid.UUID, str]) -> str:
    plain = kind.replace("_", " ").capitalize()
    if key is None:
        return plain
    return f"{plain} {names.get(key) or '…' + key.hex[-6:]}"
