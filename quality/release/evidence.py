"""What leaves the building so that a stranger can check a lot without this server: contents, signatures, the whole stream. AUD-07, REC-01."""

from __future__ import annotations

import base64

from batches.dossier.queries import check_signatures, head_of, stream_of
from batches.lots.models import Lot
from mes.audit.chain import instant
from mes.audit.models import AuditEntry
from mes.signatures.models import Signature
from mes.signatures.shown import check_whole
from quality.release import queries

FORMAT = "cartulary.evidence/1"

HOW = (
    "entries[].canon is the exact text of one audit entry (hexadecimal of UTF-8 JSON); its hash is SHA-256 of 'cartulary:entry:v1', a zero byte and "
    "these bytes, and 'prev' inside it is the hash of the entry before, 64 zeros for the first. signatures[].payload is the exact text that was signed, in "
    "base64; its digest is SHA-256 of 'cartulary:signature:v1', a zero byte and these bytes; covers says whether the record still is what was signed. "
    "certificates[].sha256 is that of the PDF's bytes."
)


def evidence_of(lot: Lot) -> dict:
    """The evidence of a lot as plain text and numbers. Holds no patient identity: nothing that is signed does."""
    seq, digest = head_of(lot.pk)
    voided = {each.signature.pk for each in check_signatures(lot).broken}
    entries = AuditEntry.objects.filter(stream=stream_of(lot.pk)).order_by("seq")
    signatures = Signature.objects.filter(lot_id=lot.pk).select_related("payload").order_by("recorded_at", "id")
    return {
        "format": FORMAT,
        "how_to_check": HOW,
        "lot": lot.number,
        "check_code": lot.check_code,
        "coi": lot.therapy_event.coi,
        "demo": lot.demo,
        "stream": {"name": stream_of(lot.pk), "entries": seq, "head": digest},
        "certificates": [
            {
                "number": each.number, "stage": each.stage, "sha256": each.sha256, "content_digest": each.content_digest, "entries": each.entries,
                "valid": not queries.why_not_valid(each.decision), "why_not": queries.why_not_valid(each.decision),
                "signature": str(each.decision.signature_id),
            }
            for each in queries.certificates_of(lot)
        ],
        "signatures": [
            {
                "id": str(each.pk), "name": each.full_name, "username": each.username, "role": each.role, "meaning": each.meaning,
                "meaning_text": each.meaning_text, "at": instant(each.recorded_at), "time_zone": each.site_time_zone, "record_type": each.record_type,
                "record_id": str(each.record_id), "record_version": each.record_version, "schema": each.payload_schema,
                "digest": bytes(each.payload_digest).hex(), "covers": each.pk not in voided, "payload": base64.b64encode(bytes(each.payload.content)).decode(),
            }
            for each in map(check_whole, signatures)
        ],
        "entries": [
            {"seq": each.seq, "at": instant(each.at), "hash": bytes(each.hash).hex(), "canon": bytes(each.canon).hex()} for each in entries.iterator(500)
        ],
    }  # fmt: skip
