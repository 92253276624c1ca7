"""What samples hang onto at start: born with the lot, drawn with the signature of their step."""

from batches.events import Event as BatchEvent
from mes.records.door import receive
from quality.samples.services import bear_samples, draw_samples_of_step


def bear_samples_of_ordered_lot(*, by, subject) -> None:
    """Receiver of LOT_ORDERED, after the lot's steps were planned, inside the deed that ordered it."""
    bear_samples(by=by, lot=subject)


def draw_with_step(*, by, subject) -> None:
    """Receiver of STEP_PERFORMED: the samples of that step are drawn with its signature."""
    if subject.samples.filter(state="expected").exists():
        draw_samples_of_step(by=by, step_run=subject)


def register() -> None:
    receive(BatchEvent.LOT_ORDERED, bear_samples_of_ordered_lot)
    receive(BatchEvent.STEP_PERFORMED, draw_with_step)
