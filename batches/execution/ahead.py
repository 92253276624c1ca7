"""What is read of a step while the signer's secret is checked, and the proof under the lock that it still stands.

The check takes as long as everything else of a signature together, and computes beside the request. What is read meanwhile is read without a lock
and proves nothing. Under the lock one question follows: the versions of step and lot, and the heads of every chain in which a change of what was
read would have left an entry. The guards let no row of these tables change without an entry in its chain, committed with it; so where no head
moved, no row did. Where one did, all is read again under the lock. Decision 16; 21 CFR 11.10(e), 11.70.

What no head speaks of is asked under the lock itself: how the signer stands (roles and training begin and end by the clock), and the digests of
attached files (bytes that were damaged where they lie left no entry).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from batches.execution.models import Attachment, StepRun
from batches.execution.queries.content import subject_of
from batches.execution.queries.held import Held, Row, held_from, steps_with_rows
from batches.lots.models import Lot
from mes.asked import Sent, asked, together
from mes.audit.models import StreamHead
from mes.signatures.ceremony import Subject

BESIDE = ("lot__recipe_version__master", "lot__therapy_event", "lot__site")
"""What is read with a step and its lot."""

LOCK = Sent(  # names of our own tables; the lot is locked first, as everywhere
    f"SELECT r.version, l.version FROM {StepRun._meta.db_table} r JOIN {Lot._meta.db_table} l ON l.id = r.lot_id WHERE r.id = %s"  # noqa: S608
    " FOR NO KEY UPDATE OF l, r"
)
FILES = Sent(  # the ORM would give this the same text
    f"SELECT id, encode(sha256(content), 'hex') FROM {Attachment._meta.db_table} WHERE step_run_id = %s ORDER BY id"  # noqa: S608
)
HEADS = Sent(f"SELECT stream, seq, hash FROM {StreamHead._meta.db_table} WHERE stream = ANY(%s) ORDER BY stream")  # noqa: S608


@dataclass(frozen=True)
class Ahead:
    """A step as it was before the lock, and by what a change since would be seen."""

    run: StepRun
    held: Held
    streams: list[str]
    witnesses: list[list[tuple]]
    """The answers to `questions` as they were then."""
    what: Subject | None
    """Exactly what is signed of it as performed, made of nothing but `run` and `held`; None where nothing would be signed over."""

    @property
    def questions(self) -> list[tuple]:
        """What is asked ahead in the same snapshot, and again under the lock."""
        return _witnesses(self.run, self.held, self.streams)

    def stands(self, versions: list[tuple[int, int]], answers: list[list[tuple]]) -> bool:
        """Whether nothing of it changed, by the answers to LOCK and, asked after it, to `questions`."""
        return versions == [(self.run.version, self.run.lot.version)] and answers == self.witnesses


def _witnesses(run: StepRun, held: Held, streams: list[str]) -> list[tuple]:
    return [(HEADS, streams), *([(FILES, run.pk)] if held.files else [])]


def read_ahead(run_id: uuid.UUID) -> Ahead | None:
    """The step as it is now, in one snapshot with the heads of its chains; None where there is none here."""
    found, rows = together((_step, run_id), (steps_with_rows, run_id))
    if not found:
        return None
    run, held = found[0], held_from(rows[0])
    streams = sorted(set(streams_of(run, held)))
    witnesses = together(*_witnesses(run, held, streams))
    return Ahead(run, held, streams, witnesses, what=None if held.damaged else subject_of(run, held))


def streams_of(run: StepRun, held: Held) -> Iterator[str]:
    """The chains in which every change of what was read leaves an entry: of the lot, and of whatever is named by it and lives outside of it."""
    lot = run.lot
    for record in (run, lot, lot.recipe_version, lot.recipe_version.master, lot.therapy_event, lot.site):
        yield record.stream
    choices = [choice for each in held.excursions for choice in each["choices"]]
    of_persons: list[Row] = [*held.scans, *held.consumptions, *held.equipment, *held.entries, *choices]
    for person in (run.opened_by_id, *(row.get(name) for row in of_persons for name in ("by_id", "beside_id", "confirmed_by_id"))):
        if person:
            yield f"person:{person}"
    for scan in held.scans:
        if scan["container_lot"]:
            yield f"lot:{scan['container_lot']}"
    for line in held.consumptions:
        yield f"material_lot:{line['material_lot']}"
        yield f"site:{line['material_site']}"
    for use in held.equipment:
        yield f"equipment:{use['equipment']}"


@asked(uuid.UUID)
def _step(run_id):
    return StepRun.objects.select_related(*BESIDE).defer("lot__recipe_version__text").filter(pk=run_id)


__all__ = ["LOCK", "Ahead", "read_ahead", "streams_of"]
