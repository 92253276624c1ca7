"""The site's checkpoint key: Ed25519, in the keys folder, outside the database and its backups."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from mes.checkpoints import notes


def key_folder() -> Path:
    return Path(settings.KEYS_FOLDER) / "checkpoints"


def site_key(site_code: str, number: int = 0) -> Ed25519PrivateKey:
    """The site's key, the first or the one of that number; made at the first use, readable by the service's user only."""
    return _kept(_name(site_code, number))


def has_site_key(site_code: str, number: int) -> bool:
    return (key_folder() / _name(site_code, number)).exists()


def _name(site_code: str, number: int) -> str:
    return f"{site_code}.{number}.ed25519" if number else f"{site_code}.ed25519"


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


def key_text(site_code: str, number: int = 0) -> str:
    """The public key of that number as others' tools take it. It is kept beside the key, so that a retired key may be destroyed."""
    path = (key_folder() / _name(site_code, number)).with_suffix(".pub")
    if path.exists() and not has_site_key(site_code, number):
        return path.read_text().strip()
    text = notes.verifier_text(key_name(site_code), site_key(site_code, number).public_key())
    path.write_text(f"{text}\n")
    return text


def public_lines() -> list[str]:
    """The public half of every checkpoint key in the keys folder, retired ones included, as name+id+base64. Makes no key."""
    found = set()
    for path in key_folder().glob("*.*"):
        kept = re.fullmatch(r"(.+?)(?:\.(\d+))?\.(?:ed25519|pub)", path.name)
        if kept and not kept[1].endswith(".witness"):
            found.add((kept[1], int(kept[2] or 0)))
    return [key_text(code, number) for code, number in sorted(found)]


def witness_name(site_code: str) -> str:
    """The name under which the site co-signs."""
    return f"cartulary/{site_code}/witness"
