"""Background work of quality. A task carries ids only, asks the database what is open, and may run any number of times."""

from __future__ import annotations

import logging

from mes.celery import app
from mes.checkpoints import verification
from mes.errors import RuleBroken
from mes.people.models import Site
from mes.people.setup import system_actor
from quality import watch
from quality.alerts import delivery, heartbeats
from quality.alerts.delivery import deliver
from quality.release import rendering

log = logging.getLogger("cartulary.tasks")


@app.task(name="quality.answer_deviation", acks_late=True)
def answer_deviation(*, site: str, subject: str) -> None:
    """After a deviation was opened: classify it by the rule table, raise its alert, deliver it."""
    watch.answer_deviation(system_actor(site), subject)


@app.task(name="quality.deliver_alert", acks_late=True)
def deliver_alert(*, site: str, subject: str) -> None:
    """After an alert was raised or escalated: tell the people."""
    deliver(by=system_actor(site), alert_id=subject)


@app.task(name="quality.mail_secret_change", acks_late=True)
def mail_secret_change(*, site: str, subject: str) -> None:
    """After a secret of a person changed: tell them by mail."""
    delivery.mail_secret_change(by=system_actor(site), notice_id=subject)


@app.task(name="quality.render_certificate", acks_late=True, queue="paper")
def render_certificate(*, site: str, subject: str) -> None:
    """After a certification: draw the certificate from the signed content and keep it, once."""
    rendering.render_certificate(system_actor(site), subject)


@app.task(name="quality.render_record", acks_late=True, queue="paper")
def render_record(*, site: str, subject: str) -> None:
    """After a certification: draw the batch record as it stood then, for the files."""
    rendering.render_record(system_actor(site), subject)


@app.task(name="quality.sweep", acks_late=True)
def sweep() -> None:
    """Every minute, for every site: find what a lost message missed, watch the clocks, escalate. Leaves a heartbeat each."""
    for site in Site.objects.all():
        sweep_site(site)


def sweep_site(site: Site) -> dict[str, int]:
    """Run every sweep for one site; returns how much each found. One that fails is logged and the others still run."""
    by = system_actor(site.pk)
    found: dict[str, int] = {}
    for name, run in watch.SWEEPS.items():
        try:
            found[name] = run(by)
            heartbeats.beat(site.pk, name, found[name])
        except RuleBroken as refusal:
            log.warning("sweep_refused", extra={"sweep": name, "code": refusal.code})
        except Exception:
            # No heartbeat is written: readiness alarms outside Celery (decisions 25).
            log.exception("sweep_failed", extra={"sweep": name})
    return found


@app.task(name="quality.check_trail", acks_late=True)
def check_trail() -> None:
    """For every site whose last check is a quarter of an hour old, or found the guards otherwise than they stand now: verify what was written since.

    Leaves a heartbeat and a fact.
    """
    for site in Site.objects.all():
        if heartbeats.is_due(site.pk, heartbeats.TRAIL_CHECK, heartbeats.TRAIL_CHECK_EVERY) or verification.guards_changed(system_actor(site.pk)):
            check_trail_of(site)


@app.task(name="quality.check_whole_trail", acks_late=True)
def check_whole_trail() -> None:
    """Every night, for every site: verify everything. Leaves a heartbeat and a fact."""
    for site in Site.objects.all():
        check_trail_of(site, whole=True)


def check_trail_of(site: Site, *, whole: bool = False) -> None:
    """Verify one site's trail. One that cannot be verified is logged and leaves no heartbeat: readiness tells it."""
    try:
        found = watch.trail_check(system_actor(site.pk), whole=whole)
        heartbeats.beat(site.pk, heartbeats.TRAIL_CHECK, found)
    except Exception:
        log.exception("trail_not_checked", extra={"site": site.code, "whole": whole})
