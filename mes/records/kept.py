"""Bytes that were kept with their digest: checked at every read, never shown when they fail. DI-04; Annex 11 (2011) 7.1."""

from __future__ import annotations

import hashlib

from mes.errors import RuleBroken


def check_kept(content, sha256: str, what: str) -> bytes:
    """The bytes, when they give the digest that was taken as they were kept. Raises RuleBroken("file_damaged"); `what` begins the sentence."""
    content = bytes(content)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RuleBroken("file_damaged", f"{what} is not the one that was kept: its digest is another. It is not shown. Call quality.")
    return content
