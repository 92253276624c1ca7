"""A record as it stood at a past time, read from the trail: what its entries up to then cite, and nothing written later. AUD-10; Annex 11 (2011) 9."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from mes.audit import readable
from mes.audit.models import AuditEntry, AuditRow


@dataclass(frozen=True, slots=True)
class Past:
    """How a stream stood: its last entry then, how many there were, and each thing in it with its fields, grouped by kind."""

    last: AuditEntry | None
    count: int
    things: dict[str, list[Thing]]


@dataclass(frozen=True, slots=True)
class Thing:
    """A record in the version it had, or a fact: name, what is said of it, who wrote this version and when, how often it had been changed."""

    name: str
    text: str
    version: int
    entry: AuditEntry
    fields: str = ""
    """Every field, where the text says less."""


def as_of(stream: str, at: dt.datetime, *, zone: str = "UTC") -> Past:
    """What the stream held at a moment of record time, oldest thing first. Call it inside the site context.

    A fact that another one superseded by then is left out, as it was then: the superseding one stands in its place.
    """
    entries = {each.pk: each for each in AuditEntry.objects.defer("canon", "prev_hash", "hash").filter(stream=stream, at__lte=at).order_by("seq")}
    if not entries:
        return Past(None, 0, {})
    newest: dict[tuple[str, uuid.UUID], AuditRow] = {}
    for row in AuditRow.objects.filter(entry_id__in=list(entries)).order_by("id"):
        known = newest.get((row.table, row.row_id))
        if known is None or row.version > known.version:
            newest[(row.table, row.row_id)] = row
    things: dict[str, list[Thing]] = {}
    for one in readable.states(list(newest.values()), entries, zone=zone):
        things.setdefault(one.kind, []).append(Thing(one.name, one.text, one.row.version, entries[one.row.entry_id], one.fields))
    return Past(list(entries.values())[-1], len(entries), things)
