"""The enrolment of each passkey that signed in a stream: that the key was the signer's own, out of the signer's stream and without showing the rest of it.

The entry of the enrolment is under the first checkpoint of the site that was taken after it. What stands in between comes along, for each entry
holds the hash of the one before: as a rule it is nothing, for checkpoints are minutes apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from mes.audit.models import AuditEntry, AuditRow, RowSchema
from mes.checkpoints.models import Checkpoint
from mes.evidence import proofs
from mes.evidence.stream import entry_line, lines, whole_row
from mes.passkeys import queries as passkeys
from mes.passkeys.models import Passkey
from mes.people.models import Qualification
from mes.signatures.models import SignatureAssertion


def enrolments_of(stream: str, site_id) -> bytes:
    """enrolments.jsonl: one line for each passkey. One that was enrolled at another site is left out, for its trail lies there. Call it inside a snapshot."""
    used = set(SignatureAssertion.objects.filter(stream_name=stream).values_list("passkey_id", flat=True))
    return lines(_lines(used, site_id))


def _lines(used: set, site_id) -> Iterator[dict]:
    for passkey in Passkey.objects.filter(pk__in=used, site_id=site_id).order_by("pk"):
        entry = AuditEntry.objects.filter(stream=passkey.stream, rows__in=_first("mes_passkey", passkey.pk)).first()
        under = None if entry is None else _first_after(entry)
        if entry is not None and under is not None:
            yield _enrolment(passkey, entry, under)


def _first(table: str, row_id):
    """The citation of a record's first version: neither its key nor its owner ever changes after it."""
    return AuditRow.objects.filter(table=table, row_id=row_id, version=1)


def _first_after(entry: AuditEntry) -> proofs.Covered | None:
    taken = Checkpoint.objects.filter(site_id=entry.site_id, recorded_at__gte=entry.at).order_by("size")
    found = (proofs.covered_by(checkpoint, entry.stream) for checkpoint in taken.iterator(chunk_size=5))
    return next((under for under in found if under is not None and under.seq >= entry.seq), None)


def _enrolment(passkey: Passkey, entry: AuditEntry, under: proofs.Covered) -> dict:
    checked = Qualification.objects.filter(user_id=passkey.user_id, subject=passkeys.enrolled(passkey)).values_list("pk", flat=True)
    cited = AuditRow.objects.filter(entry=entry, version=1, row_id__in=[passkey.pk, *checked]).order_by("table", "row_id")
    between = AuditEntry.objects.filter(stream=entry.stream, seq__gte=entry.seq, seq__lte=under.seq).order_by("seq")
    schemas = RowSchema.objects.filter(pk__in={each.schema for each in cited}).order_by("table", "pk")
    return {
        "passkey": str(passkey.pk),
        "entries": [entry_line(each) for each in between],
        "rows": [whole_row(each.table, each.row_id, each.version, each.schema) for each in cited],
        "schemas": [{"id": each.pk, "table": each.table, "columns": sorted(each.columns)} for each in schemas],
        "checkpoint": under.checkpoint.note,
        "proof": json.loads(under.proof),
    }
