"""What samples hang onto at start: born with the lot, drawn with the signature of their step."""

import uuid

from batches.events import Event as BatchEvent
from batches.permissions import Permission as BatchPermission
from mes.asked import asked
from mes.records.door import receive
from mes.web import scan_targets
from mes.web.panels import register_nav, register_panel
from quality.permissions import Permission
from quality.samples.models import Sample
from quality.samples.services import bear_samples, draw_samples_of_step


def bear_samples_of_ordered_lot(*, by, subject) -> None:
    """Receiver of LOT_ORDERED, after the lot's steps were planned, inside the deed that ordered it."""
    bear_samples(by=by, lot=subject)


def draw_with_step(*, by, subject) -> None:
    """Receiver of STEP_PERFORMED: the samples of that step are drawn with its signature."""
    if _expected_samples(subject.pk):
        draw_samples_of_step(by=by, step_run=subject)


@asked(uuid.UUID)
def _expected_samples(run_id):
    return Sample.objects.filter(step_run_id=run_id, state="expected").only("pk")[:1]


def page_of_sample(scanned) -> str | None:
    """A scanned sample label leads to its page."""
    sample = Sample.objects.filter(identifier=scanned.text.strip()).first()
    return f"/qc/{sample.identifier}/" if sample else None


def register() -> None:
    receive(BatchEvent.LOT_ORDERED, bear_samples_of_ordered_lot)
    receive(BatchEvent.STEP_PERFORMED, draw_with_step)
    rights = [Permission.RECORD_RESULTS, Permission.REVIEW_RESULTS]
    register_nav("QC", "quality:samples:work_list", rights, order=40)
    register_panel("quality:samples:panel", rights, order=20, label="QC")
    register_panel("quality:samples:lot_panel", BatchPermission.READ_LOTS, order=20, label="Results", place="lot")
    scan_targets.register(page_of_sample)
