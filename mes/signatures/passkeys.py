"""A passkey as second factor: its device signs one signing page and the exact bytes that are signed on it. SIG-01, SIG-02; 21 CFR 11.70, 11.200(a).

Always beside the password, never in its place. What the device signed is kept with the signature (SignatureAssertion), so that anybody can check it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mes.errors import SigningRefused
from mes.passkeys import proving, queries, webauthn
from mes.passkeys.models import Passkey
from mes.people.models import User
from mes.records.actors import Actor
from mes.signatures.models import Signature, SignatureAssertion, SigningIntent


@dataclass(frozen=True, slots=True)
class Asserted:
    """A device proved this person for one signing page and the bytes signed on it."""

    passkey: Passkey
    said: webauthn.Assertion
    nonce: bytes
    digest: bytes
    relying_party: str


def options(user: User, intent: SigningIntent, digest: bytes) -> dict:
    """What the browser asks the person's device. Raises SigningRefused("no_passkey") and RuleBroken("passkeys_off")."""
    found = queries.usable(user.pk)
    if not found:
        raise SigningRefused("no_passkey", "No passkey of yours can sign here. Enrol one under your name, top right, or type a one-time code.", security=None)
    return webauthn.request_options(challenge=challenge(intent, digest), known=queries.known(found))


def challenge(intent: SigningIntent, digest: bytes) -> bytes:
    """Bound to the page that was opened, and to the content: neither another page's answer nor one for other bytes fits."""
    return webauthn.challenge_of(bytes(intent.nonce), digest)


def prove(by: Actor, user: User, intent: SigningIntent, said: webauthn.Assertion) -> Asserted:
    """Raises SigningRefused where the device did not prove this person for exactly this; a counter that did not grow puts the passkey under suspicion."""
    digest = bytes(intent.payload_digest)
    passkey = proving.prove(by, user, said, challenge(intent, digest))
    return Asserted(passkey, said, bytes(intent.nonce), digest, webauthn.relying_party())


def check_still_in_use(asserted: Asserted, digest: bytes) -> None:
    """Inside the deed: it may have been retired since, and what it signed is what is signed now. Raises SigningRefused."""
    user = asserted.passkey.user
    proving.check_in_use(Passkey.objects.lock(asserted.passkey.pk), user)
    if asserted.digest != digest:
        raise proving.refusal("wrong_passkey", proving.WRONG, user, "challenge")


def assertion_of(signature: Signature, asserted: Asserted) -> SignatureAssertion:
    """What is kept of it with the signature, not saved; the key as it is enrolled now, so that the lot's evidence needs nothing else."""
    said = asserted.said
    return SignatureAssertion(
        site_id=signature.site_id, by_id=signature.by_id, lot_id=signature.lot_id, stream_name=signature.stream_name, signature=signature,
        passkey_id=asserted.passkey.pk, credential_id=said.credential_id, public_key=bytes(asserted.passkey.public_key), nonce=asserted.nonce,
        relying_party=asserted.relying_party, authenticator_data=said.authenticator_data, client_data=said.client_data, proof=said.signature,
    )  # fmt: skip


def read(answer: str | Mapping) -> webauthn.Assertion | None:
    """What came beside the secrets, None where nothing did. Raises UnreadableInput."""
    return webauthn.read_assertion(answer) if answer else None
