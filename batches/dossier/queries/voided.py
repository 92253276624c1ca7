"""Which signatures of a lot no longer cover what stands there, and what changed since: shown at once on page, paper and export. SIG-06; 21 CFR 11.70."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from batches.dossier.queries.signatures import check_signatures
from batches.execution.models import Attachment, Entry
from batches.execution.queries.content import signed_by
from batches.execution.queries.files import is_damaged
from batches.lots.models import Lot
from batches.materials.models import Consumption
from mes.clock import typed_words
from mes.people.models import User
from mes.signatures.models import Signature


@dataclass(frozen=True, slots=True)
class Changed:
    """What was changed after a signature: the parameter's key or a name, in words, by whom and why."""

    what: str
    was: str
    by: User | None
    at: dt.datetime | None
    reason: str = ""


def covering(lot: Lot, runs: Iterable, made: Mapping[uuid.UUID, Sequence[Signature]]) -> dict[uuid.UUID, bool]:
    """For every signature of these runs, whether it still covers what stands there now."""
    found = {each.signature.pk: each.covers for each in check_signatures(lot).signatures}
    for run in runs:
        if any(each.pk not in found for each in made.get(run.pk, ())):  # steps after release, stopped ones
            run.lot = lot
            found |= {each["signature"].pk: each["covers"] for each in signed_by(run)}
    return found


def what_changed(signature: Signature, entries: Sequence[Entry], materials: Sequence[Consumption], files: Sequence[Attachment]) -> list[Changed]:
    """What was written to the step after the signature, oldest first; a damaged file names itself, without a person."""
    since = signature.recorded_at
    values = {each.pk: each for each in entries}
    found = [
        Changed(each.parameter, _in_words(each, values.get(each.supersedes_id), signature.site_time_zone), each.by, each.recorded_at, each.reason)
        for each in entries
        if each.recorded_at > since
    ]
    found += [Changed(each.line, f"{each.quantity_text} {each.unit}", each.by, each.recorded_at, each.reason) for each in materials if each.recorded_at > since]
    found += [Changed(each.file_name, "attached", each.by, each.recorded_at) for each in files if each.recorded_at > since]
    found += [Changed(each.file_name, "not the file that was attached", None, None) for each in files if is_damaged(each)]
    return sorted(found, key=lambda each: each.at or since)


def _in_words(now: Entry, before: Entry | None, zone: str) -> str:
    text = f"{typed_words(now.value_text, zone)} {now.unit}".strip()
    return f"{typed_words(before.value_text, zone)} → {text}" if before is not None else text
