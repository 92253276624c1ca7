"""Brings an alert to people: in the app, and by mail. Mail holds the lot number and check code, never a patient."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage

from mes.records.actors import Actor
from mes.records.context import site_context
from quality.alerts import queries, services
from quality.alerts.models import Alert, AlertDelivery


def deliver(*, by: Actor, alert_id) -> int:
    """Deliver what is not delivered yet; returns how many went out. Running it again sends nothing twice.

    A mail that fails is written down once per rung and tried again by the next sweep.
    """
    with site_context(by.site_id):
        alert = Alert.objects.select_related("lot", "lot__therapy_event").one(pk=alert_id)
        if alert.state != "raised":
            return 0
        waiting = queries.waiting_deliveries(alert)
        failed = set(AlertDelivery.objects.filter(alert=alert, delivered=False).values_list("recipient", "level"))
        message = _message(alert)
    sent = 0
    for channel, person in waiting:
        failure = _mail(message, person.email) if channel == "mail" else ""
        if failure and (person.name, alert.level) in failed:
            continue
        services.record_delivery(
            by=by, alert_id=alert.pk, channel=channel, recipient=person.name, level=alert.level, delivered=not failure, failure=failure
        )
        sent += not failure
    return sent


def _message(alert: Alert) -> tuple[str, str]:
    lot = f"Lot {alert.lot.number}, check code {alert.lot.check_code}\n" if alert.lot_id else ""
    subject = f"[Cartulary {alert.severity}] {alert.title}"[:180].replace("\n", " ")
    body = f"{alert.title}\n{lot}\n{alert.body}\n\nAcknowledge it here: {settings.ORIGIN}/alerts/{alert.pk}/\n"
    return subject, body


def _mail(message: tuple[str, str], address: str) -> str:
    try:
        EmailMessage(message[0], message[1], settings.DEFAULT_FROM_EMAIL, [address]).send()
    except OSError as problem:  # smtplib's errors are OSErrors: a mail server that is away must not lose the alert
        return f"{type(problem).__name__}: {problem}"
    return ""
