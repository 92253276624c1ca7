"""How a reaction is sent: by task name, once, with a short time-out and a circuit breaker. And the base of all tasks."""

from __future__ import annotations

import logging
import time

from mes.celery import app

log = logging.getLogger("cartulary.tasks")

BREAK_SECONDS = 10.0
_broken_until = 0.0


def send(task: str, arguments: dict) -> None:
    """Send one task name with its ids. After a failure nothing is tried for ten seconds: the sweep finds the facts.

    Raises whatever the broker's client raises; the door logs it and goes on.
    """
    global _broken_until
    if time.monotonic() < _broken_until:
        raise ConnectionError("the broker is away; the sweep will find this")
    try:
        app.send_task(task, kwargs=arguments, retry=False, ignore_result=True)
    except Exception:
        _broken_until = time.monotonic() + BREAK_SECONDS
        raise
