"""Heartbeats of the sweeps: silence is failure (decisions 25)."""

from __future__ import annotations

import datetime as dt

from django.db import connection

from mes.clock import short_words
from mes.people.models import Site
from quality.alerts.models import Heartbeat

MISSED_AFTER = dt.timedelta(minutes=5)

TRAIL_CHECK = "trail_check"
TRAIL_CHECK_EVERY, TRAIL_CHECK_AFTER = dt.timedelta(minutes=15), dt.timedelta(minutes=45)
"""How often the scheduled verification runs and when it is missed; a site that was just sites has none yet."""


def beat(site_id, sweep: str, found: int) -> None:
    """Write that a sweep finished for a site (wall clock: it watches the machine, not the lot)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO quality_heartbeat (id, site_id, sweep, last_at, found) VALUES (gen_random_uuid(), %s, %s, clock_timestamp(), %s) "
            "ON CONFLICT (site_id, sweep) DO UPDATE SET last_at = clock_timestamp(), found = EXCLUDED.found",
            [site_id, sweep, found],
        )


def is_due(site_id, sweep: str, every: dt.timedelta) -> bool:
    """Whether a sweep has not finished for so long."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    return not Heartbeat.objects.filter(site_id=site_id, sweep=sweep, last_at__gt=now - every).exists()


_expected: tuple[str, ...] = ()


def expect(sweeps: tuple[str, ...]) -> None:
    """Say at start which sweeps have to be heard of: those that quality.watch runs."""
    global _expected
    _expected = sweeps


def missed(site_ids: list) -> list[str]:
    """Sweeps of which no heartbeat came for five minutes, as sentences. Asked by readiness and pages, outside Celery."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    sites = {site.pk: site for site in Site.objects.filter(pk__in=site_ids)}
    last = {(row.site_id, row.sweep): row.last_at for row in Heartbeat.objects.filter(site_id__in=site_ids)}
    found = []
    for site_id in site_ids:
        zone = sites[site_id].time_zone
        silent = {sweep: last.get((site_id, sweep)) for sweep in _expected}
        silent = {sweep: at for sweep, at in silent.items() if at is None or now - at > MISSED_AFTER}
        if silent and len(silent) == len(_expected):
            known = [at for at in silent.values() if at is not None]
            found.append(f"no sweep has finished {_since(max(known, default=None), zone)}")
        else:
            found += [f"the watch of {sweep.replace('_', ' ')} has not finished {_since(at, zone)}" for sweep, at in silent.items()]
        checked = last.get((site_id, TRAIL_CHECK))
        if now - (checked or sites[site_id].recorded_at) > TRAIL_CHECK_AFTER:
            found.append(f"the audit trail has not been checked {_since(checked, zone)}")
    return found


def _since(at: dt.datetime | None, zone: str) -> str:
    return "yet" if at is None else f"since {short_words(at, zone)}"
