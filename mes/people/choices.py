"""What the apps above offer on the pages on people, without being imported: subjects of training, equipment for tokens.

A source is called inside the site context and returns (value, words) pairs. Registered in AppConfig.ready.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Pairs = Iterable[tuple[str, str]]

_training: list[Callable[[], Pairs]] = []
_equipment: list[Callable[[], Pairs]] = []


def offer_training(source: Callable[[], Pairs]) -> None:
    """Offer subjects of training, for example ("recipe_version:<id>", "MB-CART20.1, version 3")."""
    if source not in _training:
        _training.append(source)


def offer_equipment(source: Callable[[], Pairs]) -> None:
    """Offer equipment that a device's token can be issued for: (id, words)."""
    if source not in _equipment:
        _equipment.append(source)


def training() -> list[tuple[str, str]]:
    return [(str(value), words) for source in _training for value, words in source()]


def equipment() -> list[tuple[str, str]]:
    return [(str(value), words) for source in _equipment for value, words in source()]
