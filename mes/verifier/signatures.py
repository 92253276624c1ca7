"""One signature: what was signed, of which record, and the site's seal on it.

Signature v1   digest = SHA-256("cartulary:signature:v1" 00 bytes); the bytes are UTF-8 JSON with the record's type, id, version and site.
Seal v1        Ed25519 over "cartulary:seal:v1" 00 JSON, an object of the columns in SEALED in their sealed text, names sorted, no blanks.
Seal v2        the same over "cartulary:seal:v2" 00, of a signature made with a passkey: auth_methods and, under "assertion." and its name,
               each column of the passkey's proof as well. A signature with a proof is sealed in v2, any other in v1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from . import passkeys
from .keys import Keys

SEALED = (
    "id", "site_id", "signer_id", "username", "full_name", "role", "meaning", "meaning_text", "record_type", "record_id", "record_version",
    "payload_schema", "payload_digest", "recorded_at",
)  # fmt: skip


def check(
    signature: Mapping, payload: bytes | None, seal: Mapping | None, site: str, keys: Keys | None, assertion: Mapping | None = None
) -> Iterator[tuple[str, str]]:
    """Kind and sentence of each break. Values are in sealed text, bytes in hexadecimal; without keys the seal is only looked for.

    `assertion` is the proof of the signer's passkey, where there is one. `site` is the code of the site at which the signature was made:
    no other site's key speaks for it.
    """
    if payload is None:
        yield "missing", "what was signed is not there"
    else:
        yield from _content(signature, payload)
    if seal is None:
        yield "unsealed", "the signature has no seal of the site"
    elif seal["key_name"] != f"cartulary/{site}/seals" or (keys is not None and not _is_sealed(signature, seal, keys, assertion)):
        yield "unsealed", "the seal is not the site's seal on this signature"
    yield from passkeys.check(signature, assertion)


def _content(signature: Mapping, payload: bytes) -> Iterator[tuple[str, str]]:
    if hashlib.sha256(b"cartulary:signature:v1\x00" + payload).hexdigest() != signature["payload_digest"]:
        yield "edit", "what is kept as signed does not give the signed digest"
        return
    try:
        said = json.loads(payload)
        record = said["record"]
        signed = (said["schema"], record["type"], record["id"], record["version"], record["site"])
    except (ValueError, KeyError, TypeError):
        yield "edit", "what was signed names no record"
        return
    names = ("payload_schema", "record_type", "record_id", "record_version", "site_id")
    if signed != tuple(signature[name] for name in names):
        yield "excised", f"it was made of {signed[1]} {signed[2]} version {signed[3]}, not of the record it stands at"


def _is_sealed(signature: Mapping, seal: Mapping, keys: Keys, assertion: Mapping | None) -> bool:
    return keys.signed(seal["key_name"], statement(signature, assertion), bytes.fromhex(seal["seal"]))


def statement(signature: Mapping, assertion: Mapping | None) -> bytes:
    """The bytes that were sealed: format v1, or v2 where a passkey's proof stands beside the signature."""
    domain, said = b"cartulary:seal:v1\x00", {name: signature[name] for name in SEALED}
    if assertion is not None:
        domain = b"cartulary:seal:v2\x00"
        said |= {"auth_methods": signature["auth_methods"], **{f"assertion.{name}": assertion[name] for name in passkeys.COLUMNS}}
    return domain + json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
