"""Making an evidence file is a deed: the file is handed over only when the trail says so. AUD-10."""

from __future__ import annotations

from mes.events import Event
from mes.evidence import rules
from mes.evidence.models import EvidenceFile
from mes.records.actors import Actor
from mes.records.door import service


@service(Event.EVIDENCE_MADE)
def record_evidence_file(
    *, by: Actor, site_id, stream: str, lot_id, subject: str, entries: int, head: str, checkpoint: int, size: int, sha256: str
) -> EvidenceFile:
    """Write down who took out what: the stream, up to which entry, and the digest of the bytes. Raises NotAllowed, RuleBroken."""
    rules.check_can_record_evidence_file(by=by, site_id=site_id, sha256=sha256, entries=entries)
    made = EvidenceFile(
        site_id=site_id, by_id=by.user_id, lot_id=lot_id, stream_name=stream, subject=subject, entries=entries, head=head, checkpoint=checkpoint, size=size,
        sha256=sha256,
    )  # fmt: skip
    made.save()
    return made
