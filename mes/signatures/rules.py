"""When a signature may be made: not by whom (that is people.rules) but of what."""

from __future__ import annotations

from mes.errors import NotAllowed, RuleBroken, SigningRefused, StaleRecord
from mes.people import accountability, queries
from mes.people.models import User
from mes.people.rules import check_signing_enabled
from mes.records.actors import Actor
from mes.signatures import manifest
from mes.signatures.ceremony import Proof, Subject
from mes.signatures.meanings import meaning as meaning_of
from mes.signatures.models import SigningIntent


def check_can_sign(
    *, by: Actor, proof: Proof, intent: SigningIntent, what: Subject, meaning: str
) -> None:
    """Raises StaleRecord when anything of what was shown has changed, SigningRefused for another record or meaning.

    Nor does anybody sign for whom signing is not enabled (SIG-11). A device, a job or a script never signs, not even with a person's proof in
    its hand. 21 CFR 11.3(b)(7).
    """
    if by.kind != User.PERSON or proof.user.kind != User.PERSON:
        raise SigningRefused("only_people_sign", "A device or a program never signs. A person has to do it.")
    if (
        (intent.record_type, intent.record_id) != (what.record_type, what.record_id)
        or intent.meaning != meaning
        or proof.meaning != meaning
    ):
        raise SigningRefused(
            "intent_of_other_record",
            "This signing page belongs to something else. Open it again here.",
        )
    check_signing_enabled(proof.user, by.site_id, to_acknowledge=meaning_of(meaning).before_enabled)
    if intent.record_version != what.record_version or bytes(
        intent.payload_digest
    ) != manifest.digest(what.payload):
        raise StaleRecord(
            "Something you were about to sign changed since it was shown. Nothing was signed. Look at it again, then sign."
        )


def check_different_person(first, second, sentence: str) -> None:
    """Two persons means two natural persons: the person is compared, and one person has one account."""
    if first == second:
        raise NotAllowed("same_person", sentence)


def check_can_acknowledge_accountability(*, by: Actor, user: User, text_version: str) -> None:
    """An acknowledgement is one's own, of the text in force, once. 21 CFR 11.10(j)."""
    if by.user_id != user.pk:
        raise NotAllowed("not_your_acknowledgement", "Accountability is acknowledged by its owner alone, in their own session.")
    if text_version != accountability.CURRENT:
        raise StaleRecord("There is a newer text. Nothing was signed. Read the new one, then sign.")
    if any(each.text_version == text_version for each in queries.acknowledgements(user.pk)):
        raise RuleBroken("acknowledged_before", "You have signed this text already.")
