"""Background work of batches. A task carries ids only and may run any number of times."""

from __future__ import annotations

from batches.dossier import rendering
from mes.api import idempotency
from mes.celery import app
from mes.people import session
from mes.people.setup import system_actor


@app.task(name="batches.render_batch_record", acks_late=True, queue="paper")
def render_batch_record(*, site: str, subject: str) -> None:
    """After a batch record was asked for: draw it as it stands now and keep it."""
    rendering.render_batch_record(system_actor(site), subject)


@app.task(name="batches.forget_answers", acks_late=True)
def forget_answers() -> None:
    """Every night: forget the kept answers of old API requests, and sessions that are over. What was recorded stays."""
    idempotency.forget()
    session.forget_old()
