"""That an evidence file was made: of what, up to which entry, and the digest of its bytes. The bytes themselves leave the building."""

from __future__ import annotations

from django.db import models

from mes.records.models import Fact


class EvidenceFile(Fact):
    """Somebody took a stream's whole evidence out: audited like everything else, before the file is handed over. AUD-10; REC-01."""

    stream_kind = "evidence"

    lot_id = models.UUIDField(null=True)
    stream_name = models.CharField(max_length=120)
    subject = models.CharField(max_length=120)
    """What it is the evidence of, in the words of people: the lot's number."""
    entries = models.BigIntegerField()
    """Entry of the stream up to which it goes, and that entry's hash."""
    head = models.CharField(max_length=64)
    checkpoint = models.BigIntegerField()
    """Size of the site's log at the checkpoint that covers it."""
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"evidence of {self.subject} to entry {self.entries}"

    def audit_line(self) -> dict[str, str]:
        return {"what": "Evidence file", "new": f"{self.subject} to entry {self.entries}, {self.size} bytes, SHA-256 {self.sha256}"}

    @property
    def stream(self) -> str:
        return self.stream_name
