"""What the background watches, per site: each function finds open work by asking the database and answers it once.

Every function takes the site's job actor and returns how much it found. Running one twice, or two at once, changes nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import socket
from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

from batches.execution import queries as execution
from batches.execution.models import Excursion, StepRun
from batches.execution.queries.times import WATCHED
from batches.execution.services import record_time_breach
from batches.execution.timelimits import LimitState
from batches.lots.models import Lot
from batches.subjects import queries as subjects
from batches.subjects import vault
from mes import clock
from mes.access import queries as access
from mes.checkpoints import anchors, verification
from mes.checkpoints.overdue import last_anchored, overdue
from mes.checkpoints.witnessing import have_cosigned
from mes.errors import RuleBroken
from mes.passkeys.models import Passkey
from mes.people.models import PersonLock, Site
from mes.records import guard_words
from mes.records.actors import Actor
from mes.records.context import site_context
from mes.signatures import seal_keys
from quality.alerts import queries as alerts
from quality.alerts.delivery import deliver, mail_secret_change
from quality.alerts.models import Alert
from quality.alerts.queries import EXACTLY
from quality.alerts.services import escalate, raise_alert
from quality.deviations.models import Deviation
from quality.deviations.rules import first_classification
from quality.deviations.services import classify, open_for_excursion
from quality.release.rendering import undrawn_certificates
from quality.samples import queries as samples

SEVERITY = {"minor": "notice", "major": "warning", "critical": "alarm", "unclassified": "warning"}
STEP_PRE_ALERT = dt.timedelta(hours=2)


class SweepBroken(RuntimeError):
    """Something in a sweep failed: the rest of it was done, and it leaves no heartbeat."""


def each_alone(items: Iterable, answer: Callable) -> int:
    """Answer every item; one that fails does not keep the others waiting. Returns how many there were.

    A broken rule means that somebody else was faster, which is as good. Raises SweepBroken at the end when anything else went wrong.
    """
    found, failures = 0, []
    for item in items:
        found += 1
        try:
            answer(item)
        except RuleBroken:
            continue
        except Exception as problem:  # each is its own deed and has been rolled back
            failures.append(problem)
    if failures:
        raise SweepBroken(f"{len(failures)} of {found} failed") from failures[0]
    return found


def raise_once(by: Actor, cause: str, severity: str, title: str, body: str = "", lot_id=None, roles: list[str] | None = None) -> Alert:
    """The alert of a cause: raised when it is not there yet. Looks first, so that a sweep opens no deed for what is told."""
    with site_context(by.site_id):
        existing = Alert.objects.filter(site_id=by.site_id, cause=cause).first()
    return existing or raise_alert(by=by, cause=cause, severity=severity, title=title, body=body, lot_id=lot_id, roles=roles)


def answer_deviation(by: Actor, deviation_id) -> None:
    """Classify an open deviation by the rule table and raise its one alert; deliver what waits."""
    with site_context(by.site_id):
        deviation = Deviation.objects.select_related("excursion", "lot").one(pk=deviation_id)
    if deviation.state == "open":
        excursion = deviation.excursion
        kind = excursion.kind if excursion else deviation.kind
        classification, rule = first_classification(kind, excursion.limit_class if excursion else "none")
        try:
            deviation = classify(by=by, deviation_id=deviation.pk, seen=deviation.version, classification=classification, reason=rule)
        except RuleBroken:  # a person, or the same task elsewhere, was faster
            with site_context(by.site_id):
                deviation = Deviation.objects.one(pk=deviation_id)
    alert = raise_once(
        by, cause_of(by, deviation), SEVERITY[deviation.classification], f"{deviation.number}: {deviation.title}",
        f"Classified {deviation.classification} ({deviation.classification_reason}).", deviation.lot_id,
        ["treatment_centre", "qa_release"] if deviation.kind == "late_failing_result" else None,
    )  # fmt: skip
    deliver(by=by, alert_id=alert.pk)


def cause_of(by: Actor, deviation: Deviation) -> str:
    """What a deviation's one alert is raised for. A failure after certification was told by its own deed: that alert is the one."""
    late = f"late_result:{deviation.result_id}"
    with site_context(by.site_id):
        told = deviation.result_id is not None and Alert.objects.filter(site_id=by.site_id, cause=late).exists()
    return late if told else f"deviation:{deviation.pk}"


def unanswered_excursions(by: Actor) -> int:
    """Excursions without a deviation: none should exist, since the same transaction opens it; found ones are answered."""
    with site_context(by.site_id):
        found = list(Excursion.objects.filter(site_id=by.site_id, deviation=None))
    return each_alone(found, lambda excursion: open_for_excursion(by=by, excursion=excursion))


def unanswered_deviations(by: Actor) -> int:
    """Deviations that no task classified or raised an alert for."""
    with site_context(by.site_id):
        told = set(Alert.objects.filter(site_id=by.site_id, cause__regex="^(deviation|late_result):").values_list("cause", flat=True))
        rows = Deviation.objects.filter(site_id=by.site_id).order_by("recorded_at").values_list("pk", "state", "result_id")
        waiting = [pk for pk, state, result in rows if state == "open" or not {f"deviation:{pk}", f"late_result:{result}"} & told]
    return each_alone(waiting, lambda deviation_id: answer_deviation(by, deviation_id))


def undelivered_alerts(by: Actor) -> int:
    """Raised alerts with somebody not told yet."""
    with site_context(by.site_id):
        raised = Alert.objects.filter(site_id=by.site_id, state="raised").select_related("lot", "lot__therapy_event")
        waiting = [alert.pk for alert in raised if alerts.waiting_deliveries(alert)]
    return each_alone(waiting, lambda alert_id: deliver(by=by, alert_id=alert_id))


def untold_secrets(by: Actor) -> int:
    """Changes of secrets of which a person was not told by mail."""
    with site_context(by.site_id):
        waiting = [notice.pk for notice in alerts.unmailed_secret_notices(by.site_id)]
    return each_alone(waiting, lambda notice_id: mail_secret_change(by=by, notice_id=notice_id))


def escalations(by: Actor) -> int:
    """Alerts that nobody acknowledged within their rung."""
    now = clock.record_now()
    with site_context(by.site_id):
        due = [(alert.pk, alert.version) for alert in alerts.due_for_escalation(by.site_id, now)]

    def answer(alert: tuple) -> None:
        escalate(by=by, alert_id=alert[0], seen=alert[1])
        deliver(by=by, alert_id=alert[0])

    return each_alone(due, answer)


def hold_times(by: Actor) -> int:
    """Time limits between events: a pre-alert at their share, an excursion once they are passed, ended or not."""
    now = clock.record_now()
    with site_context(by.site_id):
        lots = list(Lot.objects.filter(site_id=by.site_id, state__in=WATCHED).select_related("recipe_version__master", "site"))
        told = set(Excursion.objects.filter(lot__in=lots, kind="time_limit").values_list("lot_id", "reference"))
        standing = [(lot, limit) for lot in lots for limit in execution.time_limits(lot, now) if limit.standing is not None]
    broken = [(lot, limit) for lot, limit in standing if limit.is_broken and (lot.pk, limit.code) not in told]
    warning = [(lot, limit) for lot, limit in standing if limit.standing.state is LimitState.WARNING]

    def answer(found: tuple) -> None:
        lot, limit = found
        if limit.is_broken:
            record_time_breach(by=by, lot_id=lot.pk, code=limit.code)
            return
        ends = clock.hour_words(limit.standing.due, lot.site.time_zone)
        raise_once(
            by, f"time_limit_warning:{lot.pk}:{limit.code}", "warning", f"{lot.number}: {limit.limit.title} ends at {ends}",
            f"{limit.limit.max} are allowed. Act before the limit: {limit.limit.reaction}", lot.pk,
        )  # fmt: skip

    return each_alone([*broken, *warning], answer)


def overdue_steps(by: Actor) -> int:
    """Steps whose planned day ends within two hours (pre-alert) or has ended (overdue) and are not done; the first of each lot."""
    now = clock.record_now()
    zone = ZoneInfo(Site.objects.values_list("time_zone", flat=True).get(pk=by.site_id))
    first: dict = {}
    with site_context(by.site_id):
        runs = StepRun.objects.filter(
            site_id=by.site_id, lot__state="in_execution", lot__started_at__isnull=False, state__in=["waiting", "open", "stopped", "performed"]
        )
        for run in runs.select_related("lot__recipe_version__master").order_by("lot_id", "order"):
            # The first step that is late says it for those behind it.
            if run.lot_id not in first and not execution.is_after_release(execution.recipe_of(run.lot), run.step_key):
                first[run.lot_id] = run
    due = [run for run in first.values() if now >= end_of_day(run.lot.started_at, run.day, zone) - STEP_PRE_ALERT]

    def answer(run: StepRun) -> None:
        late = now >= end_of_day(run.lot.started_at, run.day, zone)
        raise_once(
            by, f"step_{'overdue' if late else 'due'}:{run.pk}", "warning" if late else "notice",
            f"{run.lot.number}: step {run.key} {'was due on day' if late else 'is due today, day'} {run.day}",
            "Do it, or say in the step why it is late." if late else "Two hours are left of the day it is planned for.", run.lot_id,
        )  # fmt: skip

    return each_alone(due, answer)


def overdue_results(by: Actor) -> int:
    """Results timed after release whose due moment has passed (QC-07)."""
    now = clock.record_now()
    with site_context(by.site_id):
        lots = Lot.objects.filter(site_id=by.site_id, state__in=["manufactured", "in_review", "certified_stage_1"], lot_specification__isnull=False)
        found = [(lot, line) for lot in lots for line in samples.pending_after_release(lot) if line.due is not None and line.due < now]

    def answer(pending: tuple) -> None:
        lot, line = pending
        raise_once(
            by, f"result_overdue:{lot.pk}:{line.criterion.code}", "warning",
            f"{lot.number}: {line.criterion.name} was due on {clock.day_words(line.due, lot.site.time_zone)}",
            "Enter the result, or say at QC why it is late.", lot.pk, ["qa_release"],
        )  # fmt: skip

    return each_alone(found, answer)


def end_of_day(started: dt.datetime, day: int, zone: ZoneInfo) -> dt.datetime:
    """The end of a manufacturing day in the site's zone, as UTC. Day 0 is the day on which the lot started."""
    first = started.astimezone(zone).date()
    midnight = dt.datetime.combine(first + dt.timedelta(days=day + 1), dt.time(0), tzinfo=zone)
    return midnight.astimezone(dt.UTC)


def unburnt_keys(by: Actor) -> int:
    """Burn the keys of erased patients that something left behind between the deed and the burning. Nothing is read before: the vault refuses."""
    with site_context(by.site_id):
        left = subjects.unburnt()
    return each_alone(left, vault.burn_key)


def anchored_checkpoints(by: Actor) -> int:
    """Take and anchor checkpoints. A place that cannot be written to, or holds something else, is told at once and leaves no heartbeat."""
    try:
        return anchors.checkpoint_and_anchor(by)
    except OSError as problem:
        with site_context(by.site_id):
            code = Site.objects.values_list("code", flat=True).get(pk=by.site_id)
            last = last_anchored(by.site_id, anchors.FOLDER)
        altered = isinstance(problem, anchors.AnchorAltered)
        title = "The place of anchors holds something else than was written there" if altered else "Anchors cannot be written"
        act = "Somebody wrote there. Keep the folder as it is, take a copy, and call quality." if altered else "Look whether the place is there and has room."
        cause = f"anchor_{'altered' if altered else 'unwritable'}:{last.size if last else 0}"
        raise_once(by, cause, "alarm", f"{code}: {title}", f"{type(problem).__name__}: {problem}. {act}")
        raise


def overdue_anchors(by: Actor) -> int:
    """Anchors that fell behind by more than their interval allows, for whatever reason: one alert each time (AUD-08)."""
    late = overdue(Site.objects.get(pk=by.site_id))

    def answer(found) -> None:
        raise_once(by, found.cause, "alarm", f"{found.site.code}: anchors are overdue", f"{found}. A rewritten past could not be told since then.")

    return each_alone(late, answer)


def trail_check(by: Actor, *, whole: bool = False) -> int:
    """Verify the trail by the independent program; each stream that stopped holding raises one alarm, and so do guards that do not stand.

    Returns how many do not hold.
    """
    code = Site.objects.values_list("code", flat=True).get(pk=by.site_id)
    check = verification.check_trail(by, whole=whole, seal_keys=seal_keys.public_lines(code))

    def answer(stream: str) -> None:
        found = check.broken[stream]
        raise_once(
            by, f"trail_broken:{stream}:{found['since']}", "alarm", f"{code}: the audit trail of {stream} does not hold",
            f"{found['sentence']}. Work on running lots goes on, marked; new lots, approvals and release stop. Keep the database as it is and take a copy.",
            roles=["qa_release"],
        )  # fmt: skip

    def tell(gone: str) -> None:
        words = guard_words.said(gone).words
        raise_once(
            by, f"guard_missing:{hashlib.sha256(gone.encode()).hexdigest()[:32]}", "alarm", f"{code}: a guard of the database does not stand",
            f"{words} Work on running lots goes on, marked; new lots, approvals and release stop. Keep the database as it is and take a copy.\n{EXACTLY}{gone}",
            roles=["qa_release"],
        )  # fmt: skip

    return each_alone(list(check.broken), answer) + each_alone(check.guards[:1], tell)


def clock_drift(by: Actor) -> int:
    """This host's clock against the database's: one alarm a day and host while it is beyond the limit (AUD-13)."""
    drift = clock.drift()
    if not clock.has_drifted(drift):
        return 0
    host, day = socket.gethostname(), clock.record_now().date()
    raise_once(
        by, f"clock_drift:{host}:{day}"[:160], "alarm", f"The clock of {host} is {clock.drift_words(drift)}",
        "Nobody can sign through a server with such a clock. Look at its time service; somebody may have set the time by hand.",
    )  # fmt: skip
    return 1


def overdue_access_reviews(by: Actor) -> int:
    """Reviews of access that are overdue: of the register (ACC-06), one alert for each day it was due, and of emergency access (ACC-09)."""
    with site_context(by.site_id):
        due = access.review_due(by.site_id)
        unreviewed = access.unreviewed_emergencies(by.site_id, clock.record_now())
        zone = Site.objects.values_list("time_zone", flat=True).get(pk=by.site_id)
    late = [due] if due < clock.record_now() else []

    def answer(missed: dt.datetime) -> None:
        raise_once(
            by, f"access_review:{missed:%Y-%m-%d}", "warning", f"The review of the access register was due on {clock.day_words(missed, zone)}",
            "Somebody who approves access reviews it under People, Access register.", None, ["qa_reviewer"],
        )  # fmt: skip

    def remind(opened) -> None:
        raise_once(
            by, f"emergency_access:{opened.pk}", "warning", f"The emergency access of {opened.user.full_name} was not reviewed",
            "Somebody who approves access reviews it under People, Emergency access.", None, ["qa_reviewer"],
        )  # fmt: skip

    return each_alone(late, answer) + each_alone(unreviewed, remind)


def locked_people(by: Actor) -> int:
    """People who are locked out after wrong secrets, and passkeys of which there may be a copy: one alert for each (SIG-12, SIG-13). 21 CFR 11.300(d)."""
    with site_context(by.site_id):
        suspects = list(Passkey.objects.filter(site_id=by.site_id, active=True, suspect=True).select_related("user"))
        locks = list(PersonLock.objects.filter(site_id=by.site_id, open=True).select_related("user"))

    def answer(lock: PersonLock) -> None:
        raise_once(
            by, f"person_locked:{lock.pk}", "warning", f"{lock.user.full_name} is locked out: {lock.reason}",
            "Ask them what happened. An administrator lifts the lock under People, with what was found as the reason.",
        )  # fmt: skip

    def warn(passkey: Passkey) -> None:
        raise_once(
            by, f"passkey_suspect:{passkey.pk}", "warning", f"There may be a copy of the passkey {passkey.name} of {passkey.user.full_name}",
            "Its counter did not grow, and it signs nothing any more. Ask them what happened. An administrator retires it under People, Passkeys.",
        )  # fmt: skip

    return each_alone(locks, answer) + each_alone(suspects, warn)


SWEEPS: dict[str, Callable[[Actor], int]] = {
    "unanswered_excursions": unanswered_excursions,
    "unanswered_deviations": unanswered_deviations,
    "hold_times": hold_times,
    "overdue_steps": overdue_steps,
    "overdue_results": overdue_results,
    "escalations": escalations,
    "undelivered_alerts": undelivered_alerts,
    "untold_secrets": untold_secrets,
    "undrawn_certificates": undrawn_certificates,
    "unburnt_keys": unburnt_keys,
    "locked_people": locked_people,
    "overdue_access_reviews": overdue_access_reviews,
    "checkpoints": anchored_checkpoints,
    "clock_drift": clock_drift,
    "timestamps": anchors.timestamp_newest,
    "cosignatures": have_cosigned,
    "overdue_anchors": overdue_anchors,
}
"""Every sweep by the name its heartbeat carries, in the order they run."""
