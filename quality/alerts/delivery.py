"""Brings an alert to people: in the app, and by mail. Mail holds the lot number and check code, never a patient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection

from mes.people.models import Site
from mes.records.actors import Actor
from mes.records.context import site_context
from mes.words import said
from quality.alerts import queries, secrets, services
from quality.alerts.models import Alert, AlertDelivery


def deliver(*, by: Actor, alert_id) -> int:
    """Deliver what is not delivered yet; returns how many went out. Running it again, or twice at once, sends nothing twice.

    A mail that fails is written down once per rung and tried again by the next sweep. A worker that dies between a mail and its note
    sends that one mail again: told twice is better than never.
    """
    with _alone(alert_id) as is_mine:
        return _deliver(by, alert_id) if is_mine else 0


@contextmanager
def _alone(alert_id) -> Iterator[bool]:
    # A lock of the session, not of a transaction: none may be held open while a mail server is waited for.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"deliver:{alert_id}"])
        is_mine = cursor.fetchone()[0]
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"deliver:{alert_id}"])


def _deliver(by: Actor, alert_id) -> int:
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


def mail_secret_change(*, by: Actor, notice_id) -> int:
    """Mail a person that a secret of theirs changed, once; returns whether it went out now. A failure is noted once and tried again by the sweep."""
    with _alone(notice_id) as is_mine:
        return _mail_secret_change(by, notice_id) if is_mine else 0


def _mail_secret_change(by: Actor, notice_id) -> int:
    with site_context(by.site_id):
        notice, site = queries.secret_notice(notice_id), Site.objects.get(pk=by.site_id)
        delivered, failed = queries.was_mailed(notice)
        told = secrets.sentence(notice, site.time_zone)
    if delivered or not notice.person.email:
        return 0
    subject = f"[Cartulary] {secrets.CHANGED[notice.what]}"
    body = f"{notice.person.full_name},\n\n{told}\n\n{secrets.IF_NOT_YOU}\n\n{site.name}, {settings.ORIGIN}\n"
    failure = _mail((said(subject), said(body)), notice.person.email)
    if not failure or not failed:
        services.record_secret_mail(by=by, notice=notice, failure=failure)
    return int(not failure)


def _message(alert: Alert) -> tuple[str, str]:
    lot = f"Lot {alert.lot.number}, check code {alert.lot.check_code}\n" if alert.lot_id else ""
    subject = f"[Cartulary {alert.severity}] {alert.title}"[:180].replace("\n", " ")
    body = f"{alert.title}\n{lot}\n{alert.body}\n\nRead and acknowledge it here: {settings.ORIGIN}/alerts/{alert.pk}/\n"
    return said(subject), said(body)


def _mail(message: tuple[str, str], address: str) -> str:
    try:
        EmailMessage(message[0], message[1], settings.DEFAULT_FROM_EMAIL, [address]).send()
    except OSError as problem:  # smtplib's errors are OSErrors: a mail server that is away must not lose the alert
        return f"{type(problem).__name__}: {problem}"
    return ""
