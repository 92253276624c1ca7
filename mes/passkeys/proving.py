"""What a passkey's answer has to be, to sign or to open a session: its owner's, in use, the answer to this question, and not given before."""

from __future__ import annotations

from mes.errors import SigningRefused
from mes.passkeys import queries, webauthn
from mes.passkeys.models import Passkey
from mes.passkeys.services import count_up, suspect_passkey
from mes.people.models import User
from mes.records.actors import Actor

WRONG = "That passkey does not prove that it is you. Try again, or type a one-time code."


def prove(by: Actor, user: User, said: webauthn.Assertion, challenge: bytes) -> Passkey:
    """The passkey of this person whose device answered this challenge. A counter that did not grow puts the passkey under suspicion.

    Raises SigningRefused: wrong_passkey, passkey_retired, passkey_suspect, passkey_unchecked, passkey_unverified, used_passkey, passkey_counter.
    """
    passkey = queries.with_handle(said.credential_id)
    check_owner(passkey, user)
    check_in_use(passkey, user)
    try:
        webauthn.check_assertion(said, challenge=challenge, public_key=bytes(passkey.public_key))
    except webauthn.NotProven as reason:
        if reason.why == "verification":
            raise refusal("passkey_unverified", "The device did not check that it is you. Use its PIN, finger or face, then try again.", user, reason.why) from reason
        raise refusal("wrong_passkey", WRONG, user, reason.why) from reason
    going_on = count_up(passkey, said)
    if going_on == "used":
        raise refusal("used_passkey", "That answer of your passkey was used before. Press the button for the passkey again.", user, "used")
    if going_on == "copied":
        suspect_passkey(by=by, passkey_id=passkey.pk, reason=f"Its counter did not grow: {said.sign_count} was sent. There may be a copy.")
        raise refusal(
            "passkey_counter", "The counter of this passkey did not go on, as if there were a copy of it. Nothing was done with it, and it opens and signs "
            "nothing from now on. Tell an administrator, and use another one or a one-time code.", user, "counter",
        )  # fmt: skip
    return passkey


def check_owner(passkey: Passkey | None, user: User) -> None:
    """The key is the person's own: whose else it may be is not told. 21 CFR 11.200(a)(2)."""
    if passkey is None or passkey.user_id != user.pk:
        raise refusal("wrong_passkey", WRONG, user, "credential")


def check_in_use(passkey: Passkey, user: User) -> None:
    """Neither retired nor suspect, and enrolled before a second person. Asked by the deed that signs again. 21 CFR 11.300(c)."""
    if not passkey.active:
        raise refusal("passkey_retired", "This passkey was retired. Use another one, or a one-time code.", user, "retired")
    if passkey.suspect:
        raise refusal(
            "passkey_suspect", "There may be a copy of this passkey. An administrator retires it; use another one, or a one-time code.", user, "suspect"
        )
    if not queries.was_checked(passkey):
        raise refusal(
            "passkey_unchecked", "Nobody checked who enrolled this passkey. An administrator retires it; then enrol another before a second person.", user,
            "unchecked",
        )  # fmt: skip


def refusal(code: str, sentence: str, user: User, why: str) -> SigningRefused:
    """`why` is for the security event, not for the screen."""
    return SigningRefused(code, sentence, field="passkey", detail={"subject": str(user.pk), "why": why})
