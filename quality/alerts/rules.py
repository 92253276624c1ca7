"""When an alert is raised, escalated, acknowledged; and the ladder of who is told."""

from __future__ import annotations

import datetime as dt

from mes.errors import RuleBroken
from mes.people.rules import check_may
from mes.records.actors import Actor
from quality.alerts.models import Alert, SecretNotice, SecretNoticeMail
from quality.alerts.secrets import CHANGED
from quality.permissions import Permission

LADDER: dict[str, tuple[tuple[dt.timedelta, tuple[str, ...]], ...]] = {
    "notice": ((dt.timedelta(0), ("supervisor",)),),
    "warning": ((dt.timedelta(0), ("supervisor", "qa_reviewer")), (dt.timedelta(hours=1), ("qa_release",))),
    "alarm": (
        (dt.timedelta(0), ("supervisor", "qa_reviewer")),
        (dt.timedelta(minutes=15), ("qa_release",)),
        (dt.timedelta(hours=1), ("treatment_centre",)),
    ),
}
"""Severity to rungs: after how long without acknowledgement (record time) which roles are told as well."""


REPEATS: dict[str, dt.timedelta] = {"warning": dt.timedelta(hours=24), "alarm": dt.timedelta(hours=4)}
"""After the last rung everybody is told again at this interval, until a person acknowledges. A notice is told once."""


def roles_at(severity: str, level: int) -> list[str]:
    """The roles told up to and including a rung."""
    return [role for _, roles in LADDER[severity][: level + 1] for role in roles]


def next_rung_at(severity: str, level: int, raised_at: dt.datetime, now: dt.datetime) -> dt.datetime | None:
    """When the rung after `level` is reached: by the ladder, counted from raising; then by repetition, counted from now; None for a notice."""
    ladder = LADDER[severity]
    if level + 1 < len(ladder):
        return raised_at + ladder[level + 1][0]
    repeat = REPEATS.get(severity)
    return None if repeat is None else now + repeat


def check_can_raise_alert(*, by: Actor, cause: str, severity: str) -> None:
    if severity not in LADDER:
        raise RuleBroken("unknown_severity", "An alert is a notice, a warning or an alarm.")
    if not cause:
        raise RuleBroken("alert_without_cause", "An alert names its cause, so that it is raised once.")


def check_can_record_delivery(*, by: Actor, alert: Alert) -> None:
    if by.kind != "system":
        raise RuleBroken("delivery_by_person", "Deliveries are recorded by the background jobs.")


def check_can_escalate(*, by: Actor, alert: Alert, now: dt.datetime) -> None:
    if alert.state != "raised":
        raise RuleBroken("alert_acknowledged", "This alert was acknowledged before.")
    if alert.next_escalation_at is None or alert.next_escalation_at > now:
        raise RuleBroken("not_due", "This alert is not due to be escalated.")


def check_can_settle(*, by: Actor, alert: Alert) -> None:
    """Raises RuleBroken("alert_acknowledged"). Who may close the deviation was asked by its own rule."""
    if alert.state == "acknowledged":
        raise RuleBroken("alert_acknowledged", "This alert was acknowledged before.")


def check_can_acknowledge(*, by: Actor, alert: Alert) -> None:
    check_may(by, Permission.ACKNOWLEDGE_ALERTS)
    if alert.state == "acknowledged":
        raise RuleBroken("alert_acknowledged", "This alert was acknowledged before.")


def check_can_note_secret_change(*, by: Actor, what: str) -> None:
    """Raises RuleBroken("no_secret"): nobody could be told in words what changed."""
    if what not in CHANGED:
        raise RuleBroken("no_secret", "That is no change of a secret.")


def check_can_record_secret_mail(*, by: Actor, notice: SecretNotice) -> None:
    """Raises RuleBroken: delivery_by_person, mailed_before."""
    if by.kind != "system":
        raise RuleBroken("delivery_by_person", "Deliveries are recorded by the background jobs.")
    if SecretNoticeMail.objects.filter(notice=notice, delivered=True).exists():
        raise RuleBroken("mailed_before", "This mail went out before.")
