"""What the release hangs onto at start: a result that fails after certification, and the wording of quality in a printed trail."""

from __future__ import annotations

from batches.lots.models import Lot
from batches.permissions import Permission as BatchPermission
from mes.records.door import receive
from mes.web.panels import register_panel
from quality.events import Event
from quality.release import sections, wording
from quality.release.rules import CERTIFIED
from quality.release.services import late_failure


def answer_failing_result(*, by, subject) -> None:
    """Receiver of RESULT_FAILED, inside the deed that recorded it: after certification it is a late failure."""
    if Lot.objects.filter(pk=subject.lot_id, state__in=CERTIFIED).exists():
        late_failure(by=by, result=subject)


def register() -> None:
    receive(Event.RESULT_FAILED, answer_failing_result)
    register_panel("quality:release:panel", BatchPermission.READ_LOTS, order=10, label="Release", place="lot")
    wording.register()
    sections.register()
