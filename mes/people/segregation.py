"""Duties that one person never holds together at a site, as data. PI 041-1 9.5; 21 CFR 211.22, 211.68(b); Annex 11 (2011) 12."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Conflict:
    """Two permissions, or groups of them ("batches.*"), and the words for what nobody does both of."""

    code: str
    one: str
    other: str
    words: str

    def lies_in(self, permissions: Collection[str]) -> bool:
        return any(_is(self.one, each) for each in permissions) and any(_is(self.other, each) for each in permissions)

    def concerns(self, permission: str) -> bool:
        return _is(self.one, permission) or _is(self.other, permission)


def _is(pattern: str, permission: str) -> bool:
    return permission.startswith(pattern[:-1]) if pattern.endswith("*") else permission == pattern


CONFLICTS: tuple[Conflict, ...] = (
    Conflict("administrator_with_gmp_rights", "mes.manage_people", "batches.*", "administer accounts and hold GMP rights"),
    Conflict("administrator_with_gmp_rights", "mes.manage_people", "quality.*", "administer accounts and hold GMP rights"),
    Conflict("administrator_approves_access", "mes.manage_people", "mes.approve_access", "give access and approve or review it"),
    Conflict("administrator_checks_identity", "mes.manage_people", "mes.record_training", "make joining links and check who joins"),
    Conflict("author_approves_recipe", "batches.author_recipes", "batches.approve_recipes", "write recipes and approve them"),
    Conflict("author_approves_specification", "quality.author_specifications", "quality.approve_specifications", "write specifications and approve them"),
    Conflict("tester_certifies", "quality.record_results", "quality.certify_lot", "test lots and certify them"),
)


def conflict_in(permissions: Collection[str], *, with_permission: str = "") -> Conflict | None:
    """The first conflict among these permissions, or of those that concern one of them; None where there is none."""
    return _conflict_in(frozenset(permissions), with_permission)


@lru_cache(1024)  # by nothing but what is given and the table above: the same permissions are judged many times a request
def _conflict_in(permissions: frozenset[str], with_permission: str) -> Conflict | None:
    for conflict in CONFLICTS:
        if (not with_permission or conflict.concerns(with_permission)) and conflict.lies_in(permissions):
            return conflict
    return None


TEMPORARY_ROLES = frozenset({"inspector", "support"})
"""Codes of roles that are never given without an end: an inspector's or a vendor's access ends at its hour. Annex 11 (2011) 12.1."""
