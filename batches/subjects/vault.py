"""The vault's cryptography: a key of each patient's own, outside the database and its backups (decisions 10).

Losing a key file is losing that patient's identity; the folder is kept by the site's own copy rules (docs/operations).
"""

from __future__ import annotations

import hmac
import os
import secrets
import tempfile
import uuid
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from batches.subjects.identity import Identity, folded
from mes.errors import RuleBroken

KEY_BYTES = 32
NONCE_BYTES = 12


def _folder() -> Path:
    folder = Path(settings.KEYS_FOLDER) / "patients"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _file_of(patient_id: uuid.UUID) -> Path:
    return _folder() / f"{patient_id}.key"


def _write_once(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable by its owner alone; a file that is there already stays as it is."""
    handle, made = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(made, path)
        except FileExistsError:
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        os.unlink(made)


def make_key(patient_id: uuid.UUID) -> None:
    """Make the patient's key: 256 random bits in a file of its own. A key that exists is kept."""
    _write_once(_file_of(patient_id), secrets.token_bytes(KEY_BYTES))


def has_key(patient_id: uuid.UUID) -> bool:
    return _file_of(patient_id).exists()


def burn_key(patient_id: uuid.UUID) -> None:
    """Overwrite and remove the patient's key. What was encrypted under it can never be read again."""
    path = _file_of(patient_id)
    if not path.exists():
        return
    with open(path, "r+b") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def _key_of(patient_id: uuid.UUID) -> AESGCM:
    try:
        return AESGCM(_file_of(patient_id).read_bytes())
    except FileNotFoundError:
        raise RuleBroken(
            "identity_unreadable", "The key of this patient is not on this server, so the identity cannot be read. Tell the administrator."
        ) from None


def seal(patient_id: uuid.UUID, plain: bytes, purpose: str) -> bytes:
    """AES-256-GCM under the patient's key; `purpose` is bound in, so that one ciphertext cannot stand for another."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _key_of(patient_id).encrypt(nonce, plain, f"{patient_id}:{purpose}".encode())


def unseal(patient_id: uuid.UUID, sealed: bytes, purpose: str) -> bytes:
    """The plain bytes. Raises RuleBroken("identity_unreadable") without the key or when the bytes were changed."""
    sealed = bytes(sealed)
    try:
        return _key_of(patient_id).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], f"{patient_id}:{purpose}".encode())
    except InvalidTag:
        raise RuleBroken("identity_unreadable", "What the vault holds for this patient was changed and cannot be read. Tell the administrator.") from None


def _index_key() -> bytes:
    path = Path(settings.KEYS_FOLDER) / "blind_index.key"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(path, secrets.token_bytes(KEY_BYTES))
    return path.read_bytes()


def _digest(site_id: uuid.UUID, kind: str, text: str) -> str:
    return hmac.new(_index_key(), f"{site_id}\x00{kind}\x00{text}".encode(), sha256).hexdigest()


def number_digest(site_id: uuid.UUID, identity: Identity) -> str:
    """Keyed digest of the hospital number: the vault finds a patient by it without keeping it readable."""
    return _digest(site_id, "number", folded(identity.hospital_number))


def person_digest(site_id: uuid.UUID, identity: Identity) -> str:
    """Keyed digest of name and date of birth."""
    return _digest(site_id, "person", f"{folded(identity.family_name)}|{folded(identity.given_name)}|{identity.born}")
