"""Whether the process lives and whether it may be sent people: for probes, without sign-in and without names of things."""

from __future__ import annotations

import logging
from functools import cache

from django.conf import settings
from django.core.checks import run_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

log = logging.getLogger("cartulary.health")


TOLD = {"sweeps": "cartulary.W001", "anchors": "cartulary.W002", "clock": "cartulary.W003"}
"""What readiness tells beside what it requires, and the check that finds it wanting."""


def alive(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"alive": True})


def ready(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations, guards and the role's rights stand, else 503. Redis, sweeps, anchors and clock are told, not required:

    capture reads nothing from them. What is wrong is named in the log, not in the answer.
    """
    told = dict.fromkeys(TOLD, False)
    parts = {"database": _database(), "migrations": False, "guards": False, "role": False}
    if parts["database"]:
        findings = run_checks(tags=["cartulary"], include_deployment_checks=True)
        parts["migrations"] = _migrated()
        parts["guards"] = not [one for one in findings if one.id == "cartulary.E002"]
        parts["role"] = not [one for one in findings if one.id == "cartulary.E003"]
        found = {one.id for one in findings}
        told = {name: code not in found for name, code in TOLD.items()}
        for finding in findings:
            log.error("not_ready: %s", finding.msg)
    good = all(parts.values())
    return JsonResponse({"ready": good, **parts, "redis": _redis(), **told}, status=200 if good else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone() == (1,)
    except DatabaseError:
        log.exception("database_away")
        return False


def _migrated() -> bool:
    return _all_applied() or _plan_is_empty()


@cache
def _seen() -> dict[str, bool]:
    return {}


def _all_applied() -> bool:
    """Once every migration of this code was applied it stays so: the code of a running process does not change."""
    return _seen().get(connection.settings_dict["NAME"], False)


def _plan_is_empty() -> bool:
    executor = MigrationExecutor(connection)
    empty = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    _seen()[connection.settings_dict["NAME"]] = empty
    return empty


def _redis() -> bool:
    import redis

    if not settings.CELERY_BROKER_URL:
        return False
    try:
        with redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_connect_timeout=0.5, socket_timeout=0.5) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
