"""What differs between two versions of a text form, field by field. Parts are matched by code, so an inserted step is one difference."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from batches.recipes.document.fields import Frozen
from batches.recipes.document.plain import plain

_NAMES_OF_PARTS = ("key", "code", "id", "material")


@dataclass(frozen=True)
class Change:
    """One difference. ``field`` names parts by their code: ``stages[A4].steps[A4.2].parameters[cells_in].unit``; old or new is None
    when the field stands only in the other version."""

    field: str
    kind: Literal["added", "removed", "changed", "moved"]
    old: str | None
    new: str | None


def diff(old: Frozen, new: Frozen) -> list[Change]:
    """Every difference from ``old`` to ``new``, in the order of the new text, removals last within their part."""
    return list(_differences("", plain(old), plain(new)))


def _differences(path: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _of_mappings(path, old, new, separator=".")
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_lists(path, old, new)
    elif not _same(old, new):
        yield Change(path, "changed", _text(old), _text(new))


def _of_mappings(path: str, old: Mapping[str, Any], new: Mapping[str, Any], *, separator: str) -> Iterator[Change]:
    for key in [*new, *(key for key in old if key not in new)]:
        where = f"{path}[{key}]" if separator == "[" else f"{path}.{key}" if path else key
        if key not in old:
            yield Change(where, "added", None, _text(new[key]))
        elif key not in new:
            yield Change(where, "removed", _text(old[key]), None)
        else:
            yield from _differences(where, old[key], new[key])


def _of_lists(path: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    old_named, new_named = _named(old), _named(new)
    if old_named is None or new_named is None:
        if [_text(each) for each in old] != [_text(each) for each in new]:
            yield Change(path, "changed", _text(old), _text(new))
        return
    yield from _of_mappings(path, old_named, new_named, separator="[")
    kept_old = [name for name in old_named if name in new_named]
    kept_new = [name for name in new_named if name in old_named]
    if kept_old != kept_new:
        yield Change(path, "moved", ", ".join(kept_old), ", ".join(kept_new))


def _named(parts: list[Any]) -> dict[str, Any] | None:
    """The parts under their code, or None when they have none or share one (then the list is compared as a whole)."""
    named: dict[str, Any] = {}
    for part in parts:
        name = next((part[each] for each in _NAMES_OF_PARTS if each in part), None) if isinstance(part, Mapping) else None
        if name is None or name in named:
            return None
        named[name] = part
    return named


def _same(old: Any, new: Any) -> bool:
    # 5 and 5.0 are the same number but not the same statement of precision: the text of a limit is what was approved.
    return type(old) is type(new) and _text(old) == _text(new)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_text(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) and abs(value.adjusted()) < 6 else str(value)
