"""Alerts: whose they are, and what was not delivered yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef

from mes import clock
from mes.people.models import AccessEvent, Role, User
from mes.people.queries import in_force
from mes.records import guard_words
from mes.words import plain
from quality.alerts.models import Alert, AlertDelivery, SecretNotice, SecretNoticeMail
from quality.deviations.models import Deviation

if TYPE_CHECKING:
    from batches.execution.models import StepRun
    from quality.samples.models import Result

PHYSICIAN = "physician"


EXACTLY = "Exactly: "
"""Begins the line of an alert's body that says what was found to the letter, for whoever looks into it."""


def role_names(alert: Alert) -> list[str]:
    """What people call the roles that an alert was told to, in their order."""
    names = dict(Role.objects.filter(site_id=alert.site_id, code__in=alert.roles).values_list("code", "name"))
    return [names.get(code, plain(code)) for code in alert.roles]


def told(alert: Alert) -> tuple[str, str]:
    """What an alert tells a person, and what was found to the letter ("" where the one says it all): digests are no news."""
    text, _, exact = alert.body.partition(f"\n{EXACTLY}")
    plain = guard_words.without_mark(text)
    return plain, exact or (text if plain != text else "")


def for_person(user_id, site_id):
    """Alerts that this person's roles are told and nobody acknowledged, most severe first."""
    codes = set(_live_grants(site_id).filter(user_id=user_id).values_list("role__code", flat=True))
    found = Alert.objects.filter(site_id=site_id, state="raised").select_related("lot").order_by("recorded_at")
    rank = {"alarm": 0, "warning": 1, "notice": 2}
    return sorted((a for a in found if codes & set(a.roles)), key=lambda a: rank[a.severity])


def _live_grants(site_id):
    return in_force().filter(site_id=site_id)


@dataclass(frozen=True)
class Recipient:
    """Somebody to tell: a user name, or "physician", with a mail address."""

    name: str
    email: str


def recipients(alert: Alert) -> list[Recipient]:
    """Everybody the alert's roles reach now, and the named physician where the treatment centre is told about a lot."""
    holders = _live_grants(alert.site_id).filter(role__code__in=alert.roles, user__is_active=True, user__kind=User.PERSON)
    found = {u.username: Recipient(u.username, u.email) for u in User.objects.filter(pk__in=holders.values("user_id")).order_by("username")}
    if "treatment_centre" in alert.roles and alert.lot_id:
        event = alert.lot.therapy_event
        found[PHYSICIAN] = Recipient(PHYSICIAN, event.physician_email)
    return list(found.values())


def waiting_deliveries(alert: Alert) -> list[tuple[str, Recipient]]:
    """(channel, recipient) pairs not delivered yet on the alert's present rung: each rung tells everybody again."""
    done = set(AlertDelivery.objects.filter(alert=alert, level=alert.level, delivered=True).values_list("channel", "recipient"))
    wanted = []
    for person in recipients(alert):
        if person.name != PHYSICIAN and ("app", person.name) not in done:
            wanted.append(("app", person))
        if person.email and ("mail", person.name) not in done:
            wanted.append(("mail", person))
    return wanted


def waiting_about(deviation: Deviation) -> list[Alert]:
    """Alerts about a deviation, or about the late result it answers, that nobody acknowledged."""
    causes = [f"deviation:{deviation.pk}", *([f"late_result:{deviation.result_id}"] if deviation.result_id else [])]
    return list(Alert.objects.filter(site_id=deviation.site_id, cause__in=causes, state="raised"))


def waiting_for_step(run: StepRun) -> list[Alert]:
    """Alerts that said a step is due or overdue."""
    return list(Alert.objects.filter(lot_id=run.lot_id, cause__in=[f"step_due:{run.pk}", f"step_overdue:{run.pk}"], state="raised"))


def waiting_for_result(result: Result) -> list[Alert]:
    """Alerts that said a final result is overdue."""
    return list(Alert.objects.filter(lot_id=result.lot_id, cause=f"result_overdue:{result.lot_id}:{result.criterion}", state="raised"))


def due_for_escalation(site_id, now):
    """Raised alerts whose next rung is reached."""
    return Alert.objects.filter(site_id=site_id, state="raised", next_escalation_at__lte=now)


def all_of(site_id, *, only_raised: bool = False):
    """Every alert of a site, raised ones first, newest first."""
    found = Alert.objects.filter(site_id=site_id).select_related("lot", "acknowledged_by").order_by("-state", "-recorded_at")
    return found.filter(state="raised") if only_raised else found


def one(alert_id) -> Alert:
    """One alert with its lot. Raises Missing."""
    return Alert.objects.select_related("lot", "lot__therapy_event", "acknowledged_by").one(pk=alert_id)


def deliveries_of(alert: Alert) -> list[AlertDelivery]:
    """Who was told how, oldest first."""
    return list(AlertDelivery.objects.filter(alert=alert).order_by("recorded_at"))


def deviation_number(deviation_id: str) -> str:
    """The number of the deviation an alert is about ("" when it is not seen here)."""
    return Deviation.objects.filter(pk=deviation_id).values_list("number", flat=True).first() or ""


# --- secrets that changed ---------------------------------------------------------------------------------------------

TOLD_FOR = dt.timedelta(days=30)
"""How long a change stands under its person's name."""
MAILED_FOR = dt.timedelta(days=7)
"""How long a mail that fails is tried again."""


def secret_notices(person_id, since: dt.datetime | None = None) -> list[SecretNotice]:
    """What changed of this person's secrets, the newest first."""
    since = since or clock.record_now() - TOLD_FOR
    return list(SecretNotice.objects.filter(person_id=person_id, recorded_at__gt=since).select_related("by").order_by("-recorded_at"))


def secret_notices_since_sign_in(person_id) -> list[SecretNotice]:
    """What changed since this person last signed in at this site; nothing at a first sign-in."""
    last = AccessEvent.objects.filter(by_id=person_id, kind="in").order_by("-recorded_at").values_list("recorded_at", flat=True).first()
    return [] if last is None else secret_notices(person_id, last)


def secret_notice(notice_id) -> SecretNotice:
    return SecretNotice.objects.select_related("by", "person").one(pk=notice_id)


def unmailed_secret_notices(site_id) -> list[SecretNotice]:
    """Those whose person has a mail address and was not reached there."""
    mailed = Exists(SecretNoticeMail.objects.filter(notice=OuterRef("pk"), delivered=True))
    newer = SecretNotice.objects.filter(~mailed, site_id=site_id, recorded_at__gt=clock.record_now() - MAILED_FOR)
    return list(newer.exclude(person__email="").order_by("recorded_at"))


def was_mailed(notice: SecretNotice) -> tuple[bool, bool]:
    """Whether the mail went out, and whether an attempt failed."""
    tried = set(SecretNoticeMail.objects.filter(notice=notice).values_list("delivered", flat=True))
    return True in tried, False in tried
