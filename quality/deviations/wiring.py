"""What deviations hang onto at start: every excursion and every failing result is answered in its own transaction."""

from batches.events import Event as BatchEvent
from batches.permissions import Permission as BatchPermission
from mes.records.door import receive
from mes.web.panels import register_nav, register_panel
from quality.deviations.services import open_for_excursion, open_for_result
from quality.events import Event
from quality.permissions import Permission

CERTIFIED = frozenset({"certified_stage_1", "certified_final", "withdrawn", "manufactured_not_infused", "supplied_out_of_specification"})
"""States of a lot after its first certification: a result that fails now comes late, and is critical."""


def answer_excursion(*, by, subject) -> None:
    """Receiver of EXCURSION_RAISED, inside the deed that raised it."""
    open_for_excursion(by=by, excursion=subject)


def answer_failing_result(*, by, subject) -> None:
    """Receiver of RESULT_FAILED, inside the deed that recorded it. A correction that still fails is answered by the deviation there is."""
    before = subject.supersedes
    while before is not None:
        if hasattr(before, "deviation") and before.deviation.state != "closed":
            return
        before = before.supersedes
    if hasattr(subject, "deviation"):
        return
    open_for_result(by=by, result=subject, kind="late_failing_result" if subject.lot.state in CERTIFIED else "out_of_specification")


def register() -> None:
    receive(BatchEvent.EXCURSION_RAISED, answer_excursion)
    receive(Event.RESULT_FAILED, answer_failing_result)
    register_nav("Deviations", "quality:deviations:list", Permission.READ_DEVIATIONS, order=50)
    register_panel("quality:deviations:panel", Permission.READ_DEVIATIONS, order=30, label="Deviations")
    register_panel("quality:deviations:lot_panel", Permission.READ_DEVIATIONS, order=30, label="Deviations", place="lot")
    register_panel("quality:deviations:excursion_panel", BatchPermission.READ_LOTS, order=30, label="Deviation", place="excursion")
