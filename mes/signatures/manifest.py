"""The exact bytes that are signed: canonical JSON over a typed document, with a domain prefix.

Numbers are text with their unit and trailing zeros, instants RFC 3339 UTC; null is written, absence is an error
(regulations: signing.md, 6). Patient identity never enters; the chain-of-identity code does.
"""

from __future__ import annotations

import hashlib
from typing import Any

from mes.audit.chain import canonical_json

DOMAIN = b"cartulary:signature:v1\x00"


def payload_bytes(
    schema: str,
    record_type: str,
    record_id,
    record_version: int,
    site_id,
    content: dict[str, Any],
) -> bytes:
    """Canonical bytes of what is signed. `schema` names the content's shape and version, for example "step/1"."""
    document = {
        "schema": schema,
        "record": {
            "type": record_type,
            "id": str(record_id),
            "version": str(record_version),
            "site": str(site_id),
        },
        "content": content,
    }
    return canonical_json(document).encode()


def digest(payload: bytes) -> bytes:
    """SHA-256 (32 bytes) over the domain prefix and the payload."""
    return hashlib.sha256(DOMAIN + payload).digest()
