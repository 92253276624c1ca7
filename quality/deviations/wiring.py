"""What deviations hang onto at start: every excursion is answered in its own transaction."""

from batches.events import Event as BatchEvent
from mes.records.door import receive
from quality.deviations.services import open_for_excursion


def answer_excursion(*, by, subject) -> None:
    """Receiver of EXCURSION_RAISED, inside the deed that raised it."""
    open_for_excursion(by=by, excursion=subject)


def register() -> None:
    receive(BatchEvent.EXCURSION_RAISED, answer_excursion)
