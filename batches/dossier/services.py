"""Deeds on the papers of a lot: one is asked for, and kept as it was drawn."""

from __future__ import annotations

import hashlib

from batches.dossier import rules
from batches.dossier.models import BatchRecordPaper
from batches.events import Event
from batches.lots.models import Lot
from mes.records.actors import Actor
from mes.records.door import service


@service(Event.BATCH_RECORD_ASKED)
def ask_for_record(*, by: Actor, lot_id) -> Lot:
    """Ask for the batch record as PDF, as of now. It writes nothing; the background draws it and keeps it with its digest."""
    lot = Lot.objects.one(pk=lot_id)
    rules.check_can_ask_for_record(by=by, lot=lot)
    return lot


@service(Event.BATCH_RECORD_PRINTED)
def keep_record(*, by: Actor, lot_id, pdf: bytes, content_digest: str, entries: int) -> BatchRecordPaper:
    """Keep a drawn batch record under the next number of the lot. Earlier ones stay as they were."""
    lot = Lot.objects.lock(lot_id)
    rules.check_can_keep_record(by=by, lot=lot)
    paper = BatchRecordPaper(
        site_id=lot.site_id, lot=lot, number=BatchRecordPaper.objects.filter(lot=lot).count() + 1, sha256=hashlib.sha256(pdf).hexdigest(), pdf=pdf,
        content_digest=content_digest, entries=entries,
    )  # fmt: skip
    paper.save()
    return paper
