"""Finding entries of the trail, newest first, page by page. All of it is called inside the site context."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from mes.audit import kinds
from mes.audit.models import AuditEntry, StreamHead

PAGE = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; empty parts do not narrow."""

    stream: str = ""
    lot_ids: frozenset[uuid.UUID] | None = None
    """Entries about these lots; an empty set finds none."""
    event: str = ""
    """The code of one kind of act."""
    significance: str = ""
    """"significant": at least one kind in the entry is not routine; "routine": all of them are."""
    person: str = ""
    """Part of a full name or user name."""
    text: str = ""
    """Part of a reason, an event, a role or a stream's name."""
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page of entries; `older` is the mark for the next one (newer ones, where the oldest come first), or empty."""

    entries: Sequence[AuditEntry]
    older: str


def entries(wanted: Wanted, *, before: str = "", limit: int = PAGE, oldest_first: bool = False) -> EntryPage:
    """A page of what this site may see. `before` is the mark of the page before it. Two keys, no offset: pages never shift."""
    rows = _narrowed(wanted).order_by(*(("at", "id") if oldest_first else ("-at", "-id")))
    mark = _read_mark(before)
    if mark is not None:
        at, key = mark
        rows = rows.filter(Q(at__gt=at) | Q(at=at, id__gt=key) if oldest_first else Q(at__lt=at) | Q(at=at, id__lt=key))
    found = list(rows[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    return EntryPage(found, f"{found[-1].at.isoformat()}~{found[-1].pk}" if more else "")


def count_of_stream(stream: str) -> int:
    """How many entries a stream holds. Equal to its head's sequence, or the chain is broken."""
    return AuditEntry.objects.filter(stream=stream).count()


def head_of(stream: str) -> StreamHead | None:
    return StreamHead.objects.filter(stream=stream).first()


def _narrowed(wanted: Wanted) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.defer("canon", "prev_hash", "hash")
    if wanted.stream:
        rows = rows.filter(stream=wanted.stream)
    if wanted.lot_ids is not None:
        rows = rows.filter(lot_id__in=wanted.lot_ids)
    if wanted.event:
        rows = rows.filter(events__contains=[wanted.event])
    if wanted.significance:
        routine = Q(events__contained_by=kinds.routine_events())
        rows = rows.filter(routine if wanted.significance == "routine" else ~routine)
    if wanted.person:
        rows = rows.filter(Q(by_name__icontains=wanted.person) | Q(by_username__icontains=wanted.person))
    if wanted.text:
        words = wanted.text.strip()
        rows = rows.annotate(events_text=Cast("events", TextField())).filter(
            Q(reason__icontains=words) | Q(events_text__icontains=words.replace(" ", "_")) | Q(role__icontains=words) | Q(stream__icontains=words)
        )
    if wanted.since:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(at__lt=wanted.until)
    return rows


def _read_mark(mark: str) -> tuple[dt.datetime, uuid.UUID] | None:
    at, _, key = mark.partition("~")
    try:
        return dt.datetime.fromisoformat(at), uuid.UUID(key)
    except ValueError:
        return None
