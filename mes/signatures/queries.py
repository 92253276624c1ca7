"""Signatures of a record, and whether each still covers what it signed."""

from __future__ import annotations

from collections.abc import Iterable

from mes.signatures import manifest
from mes.signatures.ceremony import Subject
from mes.signatures.models import Signature


def signatures_of(record_ids: Iterable) -> list[Signature]:
    """Every signature of these records, oldest first. One query."""
    return list(
        Signature.objects.filter(record_id__in=list(record_ids))
        .select_related("payload")
        .order_by("recorded_at")
    )


def still_covers(signature: Signature, now: Subject) -> bool:
    """Whether the content as it is now is what was signed. False shows at once on page and PDF as "no longer covers"."""
    return bytes(signature.payload_digest) == manifest.digest(now.payload)


def payload_intact(signature: Signature) -> bool:
    """Whether the stored bytes still give the signed digest."""
    return manifest.digest(bytes(signature.payload.content)) == bytes(
        signature.payload_digest
    )
