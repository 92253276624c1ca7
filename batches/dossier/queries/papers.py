"""Papers that were made of a lot."""

from __future__ import annotations

from batches.dossier.models import BatchRecordPaper
from batches.lots.models import Lot
from mes.errors import Missing


def lot_by_number(number: str) -> Lot:
    """The lot with everything its record shows. Raises Missing."""
    found = Lot.objects.select_related("recipe_version__master", "therapy_event__patient", "site").filter(number=number).first()
    if found is None:
        raise Missing("not_found", f"There is no lot {number} here. Scan its label, or look in the list of lots.")
    return found


def papers_of(lot: Lot) -> list[BatchRecordPaper]:
    """The batch records printed of a lot, newest first, without their bytes."""
    return list(BatchRecordPaper.objects.filter(lot=lot).defer("pdf").order_by("-number"))


def paper_of(lot: Lot, number: int | None = None) -> BatchRecordPaper:
    """One printed batch record with its bytes; the newest without a number. Raises Missing."""
    found = BatchRecordPaper.objects.filter(lot=lot).order_by("-number")
    row = found.first() if number is None else found.filter(number=number).first()
    if row is None:
        raise Missing("no_paper", f"No batch record of lot {lot.number} was printed yet. Ask for one on its record page.")
    return row
