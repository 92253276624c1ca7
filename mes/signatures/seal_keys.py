"""The site's seal key: Ed25519, in the keys folder, outside the database and its backups, apart from the checkpoint key. SIG-17.

`seals/<site>.ed25519` is the private key, `seals/<site>.keys.txt` holds the public half of every key the site ever sealed with, one a line, as
others' tools take it (name+id+base64). The private key may be replaced; the lines stay, so that old seals can still be checked.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from mes.checkpoints import notes
from mes.errors import RuleBroken

LENGTH = 32


def key_folder() -> Path:
    return Path(settings.KEYS_FOLDER) / "seals"


def key_name(site_code: str) -> str:
    """The name under which the seal key signs. It is not the checkpoint log's: neither key speaks for the other."""
    return f"cartulary/{site_code}/seals"


def seal_key(site_code: str, *, sealed_before: Callable[[], bool]) -> Ed25519PrivateKey:
    """The site's seal key. A site that never sealed anything gets one; a site that did and has none is told so.

    Raises RuleBroken("seal_key_missing"): a key made anew in silence would hide that the old one is gone.
    """
    path = key_folder() / f"{site_code}.ed25519"
    if not path.exists():
        if sealed_before():
            raise RuleBroken(
                "seal_key_missing",
                "The key that seals this site's signatures is not in the keys folder. Nothing was signed. Call whoever runs the system to put it back.",
            )
        _make(path, site_code)
    try:
        raw = path.read_bytes()
    except OSError:
        raw = b""
    if len(raw) != LENGTH:
        raise RuleBroken(
            "seal_key_missing", "The key that seals this site's signatures cannot be read. Nothing was signed. Call whoever runs the system to put it back."
        )
    return Ed25519PrivateKey.from_private_bytes(raw)


def _make(path: Path, site_code: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = Ed25519PrivateKey.generate()
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key.private_bytes_raw())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)  # whole or not at all: of two that make one at the same time, the first stays
    except FileExistsError:
        return
    finally:
        fresh.unlink()
    with (path.parent / f"{site_code}.keys.txt").open("a") as file:
        file.write(notes.verifier_text(key_name(site_code), key.public_key()) + "\n")


def public_lines(site_code: str) -> list[str]:
    """The public half of every key the site sealed with, as name+id+base64; empty before the first seal."""
    path = key_folder() / f"{site_code}.keys.txt"
    return path.read_text().split() if path.exists() else []
