"""The seal of a signature: Ed25519 over a statement of who signed what, by a key that lies outside the database. SIG-17; 21 CFR 11.30, 11.70.

Whoever can write every table cannot make one: a signature row that was inserted, copied or altered has no seal that fits it.
The statement is canonical JSON (as of mes.audit.chain) behind a domain prefix; its members are SEALED, columns of the signature, as text.
"""

from __future__ import annotations

from mes.audit.chain import canonical_json, column_text
from mes.checkpoints import notes
from mes.signatures import seal_keys
from mes.signatures.models import Signature, SignatureAssertion, SignatureSeal

DOMAIN = b"cartulary:seal:v1\x00"

SEALED = (
    "id", "site_id", "signer_id", "username", "full_name", "role", "meaning", "meaning_text", "record_type", "record_id", "record_version",
    "payload_schema", "payload_digest", "recorded_at",
)  # fmt: skip
"""The columns that format v1 seals. A format once used is never edited; a new one gets a new domain."""


DOMAIN_2 = b"cartulary:seal:v2\x00"

PROVEN_BY = ("passkey_id", "credential_id", "public_key", "nonce", "relying_party", "authenticator_data", "client_data", "proof")
"""What format v2 seals beside the columns of v1 and the signature's auth_methods: a passkey's proof, under `assertion.` and the column's name.

It seals the signatures that have one; all others are sealed in v1. So a proof can neither be taken from a signature nor put to one.
"""


def statement(signature: Signature, assertion: SignatureAssertion | None = None) -> bytes:
    """The exact bytes that are sealed. The signature is as the database returned it: its time is the database's."""
    said = {name: column_text(getattr(signature, name)) for name in SEALED}
    if assertion is None:
        return DOMAIN + canonical_json(said).encode()
    said |= {"auth_methods": column_text(signature.auth_methods)}
    said |= {f"assertion.{name}": column_text(getattr(assertion, name)) for name in PROVEN_BY}
    return DOMAIN_2 + canonical_json(said).encode()


def seal_of(signature: Signature, site_code: str, assertion: SignatureAssertion | None = None) -> SignatureSeal:
    """The seal of a signature that was just written, not saved. Raises RuleBroken("seal_key_missing")."""
    key = key_of(signature.site_id, site_code)
    public = key.public_key()
    name = seal_keys.key_name(site_code)
    return SignatureSeal(
        site_id=signature.site_id, by_id=signature.by_id, lot_id=signature.lot_id, stream_name=signature.stream_name, signature=signature, key_name=name,
        key_id=notes.key_id(name, public).hex(), seal=key.sign(statement(signature, assertion)),
    )  # fmt: skip


def key_of(site_id, site_code: str):
    """The site's seal key; made for a site that has not sealed anything yet. Raises RuleBroken("seal_key_missing")."""
    return seal_keys.seal_key(site_code, sealed_before=lambda: SignatureSeal.objects.filter(site_id=site_id).exists())
