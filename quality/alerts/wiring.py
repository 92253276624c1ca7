"""What alerts hang onto at start: the navigation and the first page of whoever may acknowledge them; readiness asks for heartbeats."""

from functools import partial

from django.core import checks
from django.db import DatabaseError

from batches.events import Event as BatchEvent
from mes.people.models import Site
from mes.records.context import site_context
from mes.records.door import receive
from mes.web.panels import register_greeting, register_nav, register_panel
from quality.alerts import heartbeats, queries, secrets, services
from quality.events import Event
from quality.permissions import Permission


@checks.register("cartulary", deploy=True)
def the_watch_is_heard(app_configs, **kwargs):
    """Warning for each sweep of which no heartbeat came: asked by readiness, outside Celery (decisions 25)."""
    try:
        silent = heartbeats.missed(list(Site.objects.values_list("pk", flat=True)))
    except DatabaseError:  # readiness names a missing database itself
        return []
    return [checks.Warning(sentence, hint="look whether worker, beat and Redis run", id="cartulary.W001") for sentence in silent]


def settle_alerts(*, by, subject) -> None:
    """Receiver of DEVIATION_CLOSED, inside the deed that closes: an alert about a closed matter waits for nobody."""
    for alert in queries.waiting_about(subject):
        services.settle(by=by, alert_id=alert.pk)


def settle_done_step(*, by, subject) -> None:
    """Receiver of STEP_COMPLETED and STEP_LEFT_OUT: nobody is told any more that a step is due which is done or decided."""
    for alert in queries.waiting_for_step(subject):
        services.settle(by=by, alert_id=alert.pk)


def settle_result(*, by, subject) -> None:
    """Receiver of RESULT_RECORDED: a final result that came is not overdue any more."""
    if subject.kind == "final":
        for alert in queries.waiting_for_result(subject):
            services.settle(by=by, alert_id=alert.pk)


def note_secret(what: Event, *, by, subject) -> None:
    """Receiver of each change of a secret, inside its deed. What the installation sets up itself, before anybody has the account, is told to nobody."""
    if by.kind != "system":
        services.note_secret_change(by=by, person_id=secrets.whose(subject), what=str(what))


def greet(*, by) -> list[str]:
    """What a person reads after signing in about their own secrets."""
    with site_context(by.site_id):
        found, zone = queries.secret_notices_since_sign_in(by.user_id), Site.objects.get(pk=by.site_id).time_zone
        said = [secrets.sentence(each, zone) for each in found]
    return [*said, secrets.IF_NOT_YOU] if said else []


def register() -> None:
    for what in secrets.CHANGED:
        receive(what, partial(note_secret, what))
    register_greeting(greet)
    register_panel("quality:alerts:secrets", None, order=10, label="Changes of your secrets", place="own")
    receive(BatchEvent.STEP_COMPLETED, settle_done_step)
    receive(BatchEvent.STEP_LEFT_OUT, settle_done_step)
    receive(Event.RESULT_RECORDED, settle_result)
    receive(Event.DEVIATION_CLOSED, settle_alerts)
    register_nav("Alerts", "quality:alerts:list", Permission.ACKNOWLEDGE_ALERTS, order=55)
    register_panel("quality:alerts:panel", Permission.ACKNOWLEDGE_ALERTS, order=5, label="Alerts")
    register_panel("quality:alerts:watch", None, order=0, label="Watch", place="floor")
    register_panel("quality:alerts:trail", None, order=0, label="Trail and guards", place="floor")
    register_panel("quality:alerts:trail", None, order=0, label="Trail and guards", place="mark")
