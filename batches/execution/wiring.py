"""What execution hangs onto at start: an ordered lot gets its steps; the pages its people open first; where a scan leads."""

from __future__ import annotations

from django.urls import reverse

from batches.events import Event
from batches.execution.queries.runs import next_steps
from batches.execution.services import plan_lot
from batches.execution.services.recording import raise_transport
from batches.lots.identifiers import IdentifierRefused, ScanKind, parse_scan
from batches.lots.models import Container
from batches.permissions import Permission
from mes.records.door import receive
from mes.web import scan_targets
from mes.web.panels import register_nav, register_panel


def plan_ordered_lot(*, by, subject) -> None:
    """Receiver of LOT_ORDERED, inside the deed that orders."""
    plan_lot(by=by, lot=subject)


def judge_hand_over(*, by, subject) -> None:
    """Receiver of HANDED_OVER, inside the deed that hands over."""
    if subject.temperature_level == "action":
        raise_transport(by, subject)


def step_of_container(scanned: scan_targets.Scanned) -> str | None:
    """A bag scanned anywhere leads to the step its lot waits for."""
    try:
        read = parse_scan(scanned.text)
    except IdentifierRefused:
        return None
    if read.kind is not ScanKind.CONTAINER:
        return None
    container = Container.objects.select_related("lot").filter(identifier=read.value).first()
    waiting = next_steps(container.lot)[:1] if container else []
    if not waiting:
        return None
    return reverse("batches:execution:step", kwargs={"number": container.lot.number, "key": waiting[0].key})


def register() -> None:
    receive(Event.LOT_ORDERED, plan_ordered_lot)
    receive(Event.HANDED_OVER, judge_hand_over)
    register_nav("Floor", "batches:execution:board", Permission.READ_LOTS, order=10)
    register_nav("Station", "batches:execution:station", Permission.RECORD_VALUES, order=12)
    register_panel("batches:execution:waiting", Permission.RECORD_VALUES, order=10, label="Waiting for you")
    scan_targets.register(step_of_container, order=20)
