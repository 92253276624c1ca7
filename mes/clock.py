"""The record clock: the database's own, the only source of record time.

The database host is disciplined by NTP (installation check). In a demo or rehearsal deployment the record clock
may be moved forward by an offset; production refuses to start with one. Source: EU GMP Annex 11 (2011) 12.4.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from mes.errors import UnreadableInput

host_seconds = time.time
"""This host's own clock: what guards people (sessions, one-time codes, intents to sign) goes by it."""


def record_now() -> dt.datetime:
    """Record time (UTC, timezone-aware): `clock_timestamp()` of the database plus the demo offset."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT guard.record_now()")
        return cursor.fetchone()[0].astimezone(dt.UTC)


def offset() -> dt.timedelta:
    """The simulated offset: zero but in a demo or rehearsal deployment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT guard.clock_offset()")
        return cursor.fetchone()[0]


def drift() -> dt.timedelta:
    """How far this host's clock is ahead of the database's (negative: behind), no more than is certain: asking takes time."""
    with connection.cursor() as cursor:
        before = host_seconds()
        cursor.execute("SELECT clock_timestamp()")
        after = host_seconds()
        return drift_between(before, cursor.fetchone()[0], after)


def drift_between(before: float, told: dt.datetime, after: float) -> dt.timedelta:
    """The same of a statement that asked for `clock_timestamp()` beside something else; `before` and `after` are host_seconds() around it."""
    there = told.timestamp()
    if before <= there <= after:
        return dt.timedelta(0)
    return dt.timedelta(seconds=before - there if there < before else after - there)


def moment_words(moment: dt.datetime, zone: str | dt.tzinfo, *, seconds: bool = False) -> str:
    """A time as a person reads it, in the site's zone and with the zone's name: "19 Nov 2026, 14:36 CET"."""
    local = moment.astimezone(_zone(zone))
    return f"{day_words(local)}, {local:%H:%M:%S %Z}" if seconds else f"{day_words(local)}, {local:%H:%M %Z}"


def short_words(moment: dt.datetime, zone: str | dt.tzinfo) -> str:
    """The same without its year, where the year goes without saying: "19 Nov 14:36 CET"."""
    local = moment.astimezone(_zone(zone))
    return f"{day_words(local, year=False)} {local:%H:%M %Z}"


def hour_words(moment: dt.datetime, zone: str | dt.tzinfo) -> str:
    """The time of day alone, with the zone's name: "14:36 CET"."""
    return f"{moment.astimezone(_zone(zone)):%H:%M %Z}"


def day_words(day: dt.date, zone: str | dt.tzinfo | None = None, *, year: bool = True) -> str:
    """A day: "19 Nov 2026". A moment needs the zone whose day is meant, unless it is in it."""
    local = day.astimezone(_zone(zone)) if zone is not None and isinstance(day, dt.datetime) else day
    return f"{local.day} {local:%b %Y}" if year else f"{local.day} {local:%b}"


_TYPED_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII)


def typed_words(text: str, zone: str | dt.tzinfo) -> str:
    """A recorded text as a person reads it: a date and time as a date-time field sends it ("2026-11-26T09:50", in the site's time where it names no
    offset) with the zone's name, "26 Nov 2026, 09:50 CET"; any other text as it was typed. EU GMP Annex 11 (2011) 12.4; PIC/S PI 041 8.8."""
    if not _TYPED_MOMENT.fullmatch(text):
        return text
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    moment = moment if moment.tzinfo else moment.replace(tzinfo=_zone(zone))
    return moment_words(moment, zone, seconds=moment.second != 0)


def _zone(zone: str | dt.tzinfo) -> dt.tzinfo:
    return ZoneInfo(zone) if isinstance(zone, str) else zone


def has_drifted(by: dt.timedelta) -> bool:
    """Whether a drift is beyond the limit of the settings. EU GMP Annex 11 draft (2025) 12.2, 13.4."""
    return abs(by) > settings.CLOCK_DRIFT_LIMIT


def drift_words(by: dt.timedelta) -> str:
    return f"{abs(by).total_seconds():.1f} s {'ahead of' if by > dt.timedelta(0) else 'behind'} the database's"


def moment_of(text: str, zone: str) -> dt.datetime | None:
    """A moment as typed, in the site's zone where it names none; None for nothing. Raises UnreadableInput."""
    if not text.strip():
        return None
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise UnreadableInput("moment_unreadable", "That is no moment. Write it like 2026-03-02T14:30.", field="at") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
