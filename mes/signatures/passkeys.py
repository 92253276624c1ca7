"""A passkey as second factor: its device signs one signing page and the exact bytes that are signed on it. SIG-01, SIG-02; 21 CFR 11.70, 11.200(a).

Always beside the password, never in its place. What the device signed is kept with the signature (SignatureAssertion), so that anybody can check it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mes.errors import SigningRefused
from mes.passkeys import queries, webauthn
from mes.passkeys.models import Passkey
from mes.passkeys.services import count_up, suspect_passkey
from mes.people.models import User
from mes.records.actors import Actor
from mes.signatures.models import Signature, SignatureAssertion, SigningIntent

WRONG = "That passkey does not prove this signature. Try again, or type a one-time code."


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
    passkey = queries.with_handle(said.credential_id)
    check_owner(passkey, user)
    check_in_use(passkey, user)
    try:
        webauthn.check_assertion(said, challenge=challenge(intent, digest), public_key=bytes(passkey.public_key))
    except webauthn.NotProven as reason:
        if reason.why == "verification":
            raise _refusal(
                "passkey_unverified", "The device did not check that it is you. Use its PIN, finger or face, then sign again.", user, reason.why
            ) from reason
        raise _refusal("wrong_passkey", WRONG, user, reason.why) from reason
    going_on = count_up(passkey, said)
    if going_on == "used":
        raise _refusal("used_passkey", "That answer of your passkey was used before. Press Sign with a passkey again.", user, "used")
    if going_on == "copied":
        suspect_passkey(by=by, passkey_id=passkey.pk, reason=f"Its counter did not grow: {said.sign_count} was sent. There may be a copy.")
        raise _refusal(
            "passkey_counter", "The counter of this passkey did not go on, as if there were a copy of it. Nothing was signed, and it signs nothing from now "
            "on. Tell an administrator, and use another one or a one-time code.", user, "counter",
        )  # fmt: skip
    return Asserted(passkey, said, bytes(intent.nonce), digest, webauthn.relying_party())


def check_owner(passkey: Passkey | None, user: User) -> None:
    """The key is the signer's own: whose else it may be is not told. 21 CFR 11.200(a)(2)."""
    if passkey is None or passkey.user_id != user.pk:
        raise _refusal("wrong_passkey", WRONG, user, "credential")


def check_in_use(passkey: Passkey, user: User) -> None:
    """Neither retired nor suspect, and enrolled before a second person. Asked by the deed that signs again. 21 CFR 11.300(c)."""
    if not passkey.active:
        raise _refusal("passkey_retired", "This passkey was retired. Use another one, or a one-time code.", user, "retired")
    if passkey.suspect:
        raise _refusal(
            "passkey_suspect", "There may be a copy of this passkey. An administrator retires it; use another one, or a one-time code.", user, "suspect"
        )
    if not queries.was_checked(passkey):
        raise _refusal(
            "passkey_unchecked", "Nobody checked who enrolled this passkey. An administrator retires it; then enrol another before a second person.", user,
            "unchecked",
        )  # fmt: skip


def check_still_in_use(asserted: Asserted, digest: bytes) -> None:
    """Inside the deed: it may have been retired since, and what it signed is what is signed now. Raises SigningRefused."""
    user = asserted.passkey.user
    check_in_use(Passkey.objects.lock(asserted.passkey.pk), user)
    if asserted.digest != digest:
        raise _refusal("wrong_passkey", WRONG, user, "challenge")


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


def _refusal(code: str, sentence: str, user: User, why: str) -> SigningRefused:
    return SigningRefused(code, sentence, field="passkey", detail={"subject": str(user.pk), "why": why})
