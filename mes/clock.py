"""The record clock: the database's own, the only source of record time.

The database host is disciplined by NTP (installation check). In a demo or rehearsal deployment the record clock
may be moved forward by an offset; production refuses to start with one. Source: EU GMP Annex 11 (2011) 12.4.
"""

from __future__ import annotations

import datetime as dt
import time

from django.conf import settings
from django.db import connection

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
        there = cursor.fetchone()[0].timestamp()
    if before <= there <= after:
        return dt.timedelta(0)
    return dt.timedelta(seconds=before - there if there < before else after - there)


def has_drifted(by: dt.timedelta) -> bool:
    """Whether a drift is beyond the limit of the settings. EU GMP Annex 11 draft (2025) 12.2, 13.4."""
    return abs(by) > settings.CLOCK_DRIFT_LIMIT


def drift_words(by: dt.timedelta) -> str:
    return f"{abs(by).total_seconds():.1f} s {'ahead of' if by > dt.timedelta(0) else 'behind'} the database's"
