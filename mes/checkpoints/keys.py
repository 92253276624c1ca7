"""The site's checkpoint key: Ed25519, in the keys folder, outside the database and its backups."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from mes.checkpoints import notes


def key_folder() -> Path:
    return Path(settings.KEYS_FOLDER) / "checkpoints"


def site_key(site_code: str) -> Ed25519PrivateKey:
    """The site's key; made at the first use, readable by the service's user only."""
    return _kept(f"{site_code}.ed25519")


def witness_key(site_code: str) -> Ed25519PrivateKey:
    """The key with which the site co-signs others' checkpoints: another one, so that neither speaks for the other."""
    return _kept(f"{site_code}.witness.ed25519")


def _kept(name: str) -> Ed25519PrivateKey:
    path = key_folder() / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        with os.fdopen(handle, "wb") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes_raw())
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def key_name(site_code: str) -> str:
    """The name under which the key signs: the same as the log's origin."""
    return f"cartulary/{site_code}"


def first_key_text(site_code: str) -> str:
    """The key that the site's log began with, as others' tools take it."""
    return notes.verifier_text(key_name(site_code), site_key(site_code).public_key())


def witness_name(site_code: str) -> str:
    """The name under which the site co-signs."""
    return f"cartulary/{site_code}/witness"
