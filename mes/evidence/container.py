"""The container of an evidence file: a zip of stored members in a fixed order with fixed dates. The same members give the same bytes.

Nothing is compressed: what lies inside can be read by anything, for as long as files are kept, and no version of a library decides the bytes.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable

from mes.audit.chain import canonical_json

FORMAT = "cartulary.evidence-file/1"
MANIFEST, SEAL = "manifest.json", "manifest.seal"
SEAL_DOMAIN = b"cartulary:evidence:v1\x00"
DATE = (1980, 1, 1, 0, 0, 0)


def manifest_of(about: dict, members: dict[str, bytes]) -> bytes:
    """Canonical JSON: what the file is, and the SHA-256 of every member but the manifest and its seal."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    return canonical_json({"format": FORMAT, **about, "members": digests}).encode()


def pack(members: Iterable[tuple[str, bytes]]) -> bytes:
    """The members, in this order, as a zip without compression."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, DATE)
            info.create_system = 3  # the same bytes on every system
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return target.getvalue()
