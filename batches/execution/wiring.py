"""What execution hangs onto at start: an ordered lot gets its steps; the pages its people open first."""

from batches.events import Event
from batches.execution.services import plan_lot
from mes.records.door import receive


def plan_ordered_lot(*, by, subject) -> None:
    """Receiver of LOT_ORDERED, inside the deed that orders."""
    plan_lot(by=by, lot=subject)


def register() -> None:
    receive(Event.LOT_ORDERED, plan_ordered_lot)
