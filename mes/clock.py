"""The record clock: the database's own, the only source of record time.

The database host is disciplined by NTP (installation check). In a demo or rehearsal deployment the record clock
may be moved forward by an offset; production refuses to start with one. Source: EU GMP Annex 11 (2011) 12.4.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection


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
