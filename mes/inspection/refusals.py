"""Finding refused attempts, newest first, page by page. Called inside the site context."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Q

from mes import acts
from mes.people import queries as people
from mes.records.context import current_site
from mes.records.models import SecurityEvent

PAGE = 50


@dataclass(frozen=True, slots=True)
class RefusalPage:
    """One page of refused attempts; `older` is the mark for the next one, or empty."""

    events: Sequence[SecurityEvent]
    older: str

    def about(self) -> dict[str, str]:
        """The names of the people whom a refused attempt was about (whose secret was wrong), by the id that it keeps."""
        ids = {key for key in map(_as_id, (event.subject for event in self.events)) if key}
        return {str(key): name for key, name in people.names(ids).items()}


NOT_REFUSED = {"identity_read"}
"""Kinds of security event that are no refusal: a look at a patient's identity is recorded, and stands in the trail."""


def _as_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def kinds_known() -> list[str]:
    """The kinds of refusal that this site has had."""
    return list(SecurityEvent.objects.filter(site_id=current_site()).exclude(kind__in=NOT_REFUSED).order_by("kind").values_list("kind", flat=True).distinct())


def refused(
    *, person: str = "", kind: str = "", text: str = "", subjects: Collection[str] | None = None, since: dt.datetime | None = None,
    until: dt.datetime | None = None, before: str = "", limit: int = PAGE,
) -> RefusalPage:  # fmt: skip
    """A page of the site's refused attempts. `person` is a part of a user name or full name, `subjects` the ids of what was tried."""
    rows = SecurityEvent.objects.filter(site_id=current_site()).exclude(kind__in=NOT_REFUSED).select_related("by").order_by("-recorded_at", "-id")
    if person:
        rows = rows.filter(Q(username__icontains=person) | Q(by__full_name__icontains=person) | Q(by__username__icontains=person))
    if kind:
        rows = rows.filter(kind=kind)
    if text:
        code, deeds = text.replace(" ", "_"), acts.deeds_called(text)
        called = Q(sentence__icontains=text) | Q(code__icontains=code) | Q(attempted__icontains=code) | Q(attempted__in=deeds)
        for folder in acts.areas_called(text):
            called |= Q(attempted__endswith=f" of {folder}")
        rows = rows.filter(called)
    if subjects is not None:
        rows = rows.filter(subject__in=subjects)
    if since:
        rows = rows.filter(recorded_at__gte=since)
    if until:
        rows = rows.filter(recorded_at__lt=until)
    at, _, key = before.partition("~")
    try:
        mark = dt.datetime.fromisoformat(at), uuid.UUID(key)
    except ValueError:
        mark = None
    if mark is not None:
        rows = rows.filter(Q(recorded_at__lt=mark[0]) | Q(recorded_at=mark[0], id__lt=mark[1]))
    found = list(rows[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    return RefusalPage(found, f"{found[-1].recorded_at.isoformat()}~{found[-1].pk}" if more else "")
