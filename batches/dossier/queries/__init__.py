"""Reading what a lot's record consists of: its trail, its people, its signatures, its content."""

from batches.dossier.queries.annex import Item, annex, grouped
from batches.dossier.queries.people import workers
from batches.dossier.queries.signatures import SignatureCheck, StepSignature, check_signatures
from batches.dossier.queries.steps import before_release
from batches.dossier.queries.trail import CitedRow, TrailEntry, hash_at, head_of, stream_of, trail

__all__ = [
    "CitedRow", "Item", "SignatureCheck", "StepSignature", "TrailEntry", "annex", "before_release", "check_signatures", "grouped", "hash_at",
    "head_of", "stream_of", "trail", "workers",
]  # fmt: skip
