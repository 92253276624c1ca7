"""Where a scan leads: apps register how their codes are recognised, so that a scan anywhere goes to the thing scanned.

What a code means comes from its content, never from where the cursor is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mes.records.actors import Actor


@dataclass(frozen=True, slots=True)
class Scanned:
    """One scan or typed code, as it came, and who scanned it."""

    text: str
    by: Actor


Resolver = Callable[[Scanned], "str | None"]
_resolvers: list[tuple[int, Resolver]] = []


def register(resolver: Resolver, order: int = 100) -> None:
    """Add `resolver(scanned)`: the address of the thing, or None when the code is not one of its own.

    Called inside the site context, in the order of `order`; the first address is taken.
    """
    if all(known is not resolver for _, known in _resolvers):
        _resolvers.append((order, resolver))
        _resolvers.sort(key=lambda pair: pair[0])


def find(scanned: Scanned) -> str | None:
    """The address of what was scanned, or None when nobody knows the code. Call it inside the site context."""
    for _, resolver in _resolvers:
        address = resolver(scanned)
        if address:
            return address
    return None
