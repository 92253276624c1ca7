"""Alerts: raised once a cause, delivered, escalated until a person acknowledges."""

from __future__ import annotations

from django.db import connection

from mes.records.actors import Actor
from mes.records.door import deed_now, service
from quality.alerts import rules
from quality.alerts.models import Alert, AlertDelivery, SecretNotice, SecretNoticeMail
from quality.events import Event


@service(Event.ALERT_RAISED)
def raise_alert(*, by: Actor, cause: str, severity: str, title: str, body: str = "", lot_id=None, roles: list[str] | None = None) -> Alert:
    """Raise an alert, once per cause: a repeat returns the one there is and changes nothing.

    `roles` are told beside those of the ladder's first rung.
    """
    rules.check_can_raise_alert(by=by, cause=cause, severity=severity)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"alert:{by.site_id}:{cause}"])
    existing = Alert.objects.filter(site_id=by.site_id, cause=cause).first()
    if existing:
        return existing
    told = dict.fromkeys([*rules.roles_at(severity, 0), *(roles or [])])
    alert = Alert(
        site_id=by.site_id, lot_id=lot_id, cause=cause, severity=severity, title=title[:300], body=body, roles=list(told),
        next_escalation_at=rules.next_rung_at(severity, 0, deed_now().at, deed_now().at),
    )  # fmt: skip
    alert.save()
    return alert


@service(Event.ALERT_DELIVERED)
def record_delivery(*, by: Actor, alert_id, channel: str, recipient: str, level: int, delivered: bool, failure: str = "") -> AlertDelivery | None:
    """Write down that somebody was reached, or was not and why. A second success for the same rung is not written."""
    alert = Alert.objects.one(pk=alert_id)
    rules.check_can_record_delivery(by=by, alert=alert)
    if delivered and AlertDelivery.objects.filter(alert=alert, channel=channel, recipient=recipient, level=level, delivered=True).exists():
        return None
    delivery = AlertDelivery(
        site_id=alert.site_id, lot_id=alert.lot_id, alert=alert, channel=channel, recipient=recipient, level=level, delivered=delivered,
        failure=failure[:200],
    )  # fmt: skip
    delivery.save()
    return delivery


@service(Event.ALERT_ESCALATED)
def escalate(*, by: Actor, alert_id, seen: int) -> Alert:
    """Go up one rung: more roles are told; after the last one everybody is told again."""
    alert = Alert.objects.lock(alert_id, seen=seen)
    rules.check_can_escalate(by=by, alert=alert, now=deed_now().at)
    alert.level += 1
    alert.roles = list(dict.fromkeys([*alert.roles, *rules.roles_at(alert.severity, alert.level)]))
    alert.next_escalation_at = rules.next_rung_at(alert.severity, alert.level, alert.recorded_at, deed_now().at)
    alert.save()
    return alert


@service(Event.ALERT_ACKNOWLEDGED)
def settle(*, by: Actor, alert_id) -> Alert:
    """What the alert told of was closed by signature: who closed it has taken note, and nobody else is told any more."""
    alert = Alert.objects.lock(alert_id)
    rules.check_can_settle(by=by, alert=alert)
    return _noted(by, alert)


@service(Event.ALERT_ACKNOWLEDGED)
def acknowledge(*, by: Actor, alert_id, seen: int) -> Alert:
    """A person takes note: escalation ends. It is not a signature and closes nothing else."""
    alert = Alert.objects.lock(alert_id, seen=seen)
    rules.check_can_acknowledge(by=by, alert=alert)
    return _noted(by, alert)


def _noted(by: Actor, alert: Alert) -> Alert:
    alert.state, alert.acknowledged_by_id, alert.acknowledged_at = "acknowledged", by.user_id, deed_now().at
    alert.next_escalation_at = None
    alert.save()
    return alert


@service(Event.OWNER_TOLD)
def note_secret_change(*, by: Actor, person_id, what: str) -> SecretNotice:
    """Note, in the deed that changes it, that a secret of this person changed: they are told at their next sign-in, under their name and by mail."""
    rules.check_can_note_secret_change(by=by, what=what)
    notice = SecretNotice(site_id=by.site_id, person_id=person_id, what=what, station=by.station)
    notice.save()
    return notice


@service(Event.OWNER_MAILED)
def record_secret_mail(*, by: Actor, notice: SecretNotice, failure: str = "") -> SecretNoticeMail:
    """Write down that the person was mailed, or was not and why."""
    rules.check_can_record_secret_mail(by=by, notice=notice)
    mail = SecretNoticeMail(site_id=notice.site_id, notice=notice, person_id=notice.person_id, delivered=not failure, failure=failure[:200])
    mail.save()
    return mail
