"""When a signature may be made: not by whom (that is people.rules) but of what."""

from __future__ import annotations

import datetime as dt

from mes.errors import NotAllowed, OutOfSequence, RuleBroken, SigningRefused, StaleRecord
from mes.people import accountability, queries
from mes.people.models import Role, User
from mes.people.rules import check_apart, check_may, check_person_may, check_role_fits, check_signing_enabled
from mes.people.standing import Standing
from mes.permissions import Permission
from mes.records.actors import Actor
from mes.signatures import manifest
from mes.signatures.ceremony import Proof, Subject
from mes.signatures.meanings import Meaning
from mes.signatures.meanings import meaning as meaning_of
from mes.signatures.models import DeputyAuthority, Signature, SigningIntent
from mes.signatures.queries import Capacity, capacities

LONGEST_AUTHORITY = dt.timedelta(days=92)
"""A quarter: who is away for longer is replaced by a role of the own, and the access review that is due each quarter sees every authority."""


def check_can_sign(
    *, by: Actor, proof: Proof, intent: SigningIntent, what: Subject, meaning: str, standing: Standing
) -> None:
    """Raises StaleRecord when anything of what was shown has changed, SigningRefused for another record or meaning.

    Nor does anybody sign for whom signing is not enabled (SIG-11), who was locked out, or whose account was closed. A device, a job or a script
    never signs, not even with a person's proof in its hand. 21 CFR 11.3(b)(7).
    """
    if by.kind != User.PERSON or proof.user.kind != User.PERSON:
        raise SigningRefused("only_people_sign", "A device or a program never signs. A person has to do it.")
    if (
        (intent.record_type, intent.record_id) != (what.record_type, what.record_id)
        or intent.meaning != meaning
        or proof.meaning != meaning
    ):
        raise other_record()
    check_not_stopped(standing)
    check_signing_enabled(proof.user, by.site_id, to_acknowledge=meaning_of(meaning).before_enabled, there=standing.enabling)
    if intent.record_version != what.record_version or bytes(
        intent.payload_digest
    ) != manifest.digest(what.payload):
        raise StaleRecord(
            "Something you were about to sign changed since it was shown. Nothing was signed. Look at it again, then sign."
        )


def check_is_of_proof(intent: SigningIntent, proof: Proof) -> None:
    """The intent that was spent is the one for which the secret was proven. Raises SigningRefused("intent_of_other_record")."""
    if intent.pk != proof.intent_id:
        raise other_record()


def check_not_stopped(signer: Standing) -> None:
    """Asked by the deed again: a lock or the end of an account may have come after the secret was proven. Raises SigningRefused. 21 CFR 11.300(d)."""
    if signer.locked:
        raise SigningRefused(
            "locked_out", f"{signer.user.full_name} is locked out after wrong secrets. An administrator can lift the lock; another qualified person can sign."
        )
    if not signer.user.is_active:
        raise SigningRefused("account_closed", f"The account of {signer.user.full_name} was closed. Nothing was signed.")


def other_record() -> SigningRefused:
    """What a proof gets that was given for something else."""
    return SigningRefused("intent_of_other_record", "This signing page belongs to something else. Open it again here.")


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


def check_meaning_and_role(meaning: Meaning, permission: str | None) -> None:
    """A meaning is signed under the permissions that its table names, and under no other. SIG-07.

    Raises SigningRefused("meaning_not_for_this"): a caller's error, or somebody who calls past the pages.
    """
    if permission is None and not meaning.used_by:
        return
    if permission is not None and str(permission) not in meaning.used_by:
        raise SigningRefused("meaning_not_for_this", f'"{meaning.text}" is not signed for this. Open the page of the act again.')


def capacity_to_sign(standing: Standing, meaning: Meaning, permission: str | None) -> Capacity:
    """As what this person signs now. Raises SigningRefused("not_your_role", "not_for_deputies"). 21 CFR 11.10(g)."""
    user = standing.user
    if not meaning.used_by:
        return Capacity("")
    if permission is not None:
        check_apart(user.full_name, permission, standing.permissions)
    held = capacities(standing, [permission] if permission is not None else meaning.used_by)
    if not held:
        raise SigningRefused("not_your_role", f"{user.full_name} holds no role now under which this is signed. Ask somebody whose role allows it.")
    if held[0].authority is not None and not meaning.deputies:
        raise SigningRefused("not_for_deputies", f"{user.full_name} holds this role as a deputy, and a deputy does not sign this.")
    return held[0]


def check_order(meaning: Meaning, record_id) -> None:
    """Raises OutOfSequence where another meaning has to be signed first on the same record. 21 CFR 11.10(f)."""
    if meaning.after and not Signature.objects.filter(record_id=record_id, meaning__in=meaning.after).exists():
        words = " or ".join(each.replace("_", " ") for each in meaning.after)
        raise OutOfSequence("signature_out_of_order", f"This is signed after it is {words}. Nothing was signed.")


def check_can_propose_deputy(*, by: Actor, deputy: User, principal: User, role: Role, starts_at, ends_at, now) -> None:
    """Raises NotAllowed; RuleBroken: `not_a_person`, `deputy_of_self`, `window_empty`, `window_too_long`, `role_held` and those of _check_lends_own."""
    check_may(by, Permission.MANAGE_PEOPLE)
    if deputy.kind != User.PERSON or principal.kind != User.PERSON:
        raise RuleBroken("not_a_person", "Only a person deputises, and only for a person.")
    if deputy.pk == principal.pk:
        raise RuleBroken("deputy_of_self", "Nobody is their own deputy. Choose another person.", field="deputy")
    if deputy.pk == by.user_id:
        raise NotAllowed("own_rights", "Nobody makes themselves a deputy. Another administrator has to do it.")
    if ends_at <= starts_at or ends_at <= now:
        raise RuleBroken("window_empty", "An authority ends after it begins, and later than now.", field="ends_at")
    if ends_at - starts_at > LONGEST_AUTHORITY:
        raise RuleBroken("window_too_long", f"An authority lasts {LONGEST_AUTHORITY.days} days at most. Choose an earlier end.", field="ends_at")
    _check_lends_own(principal, role, by.site_id, ends_at)
    if role.pk in {grant.role_id for grant in queries.live_grants(deputy.pk, by.site_id)}:
        raise RuleBroken("role_held", f"{deputy.full_name} holds the role {role.name} already and signs in it.", field="deputy")


def _check_lends_own(principal: User, role: Role, site_id, ends_at) -> None:
    """A role is lent by who holds it in the own right, for no longer than they hold it.

    Raises RuleBroken: `role_not_held`, `role_lent`, `window_beyond_role`. 21 CFR 11.100(a).
    """
    held = [grant for grant in queries.live_grants(principal.pk, site_id) if grant.role_id == role.pk]
    if not held:
        raise RuleBroken("role_not_held", f"{principal.full_name} does not hold the role {role.name} now.", field="role")
    lent = set(DeputyAuthority.objects.filter(grant__in=held).values_list("grant_id", flat=True))
    own = [grant for grant in held if grant.pk not in lent]
    if not own:
        raise RuleBroken(
            "role_lent", f"{principal.full_name} holds the role {role.name} as a deputy and does not lend it on. Choose whose place it is.", field="principal"
        )
    if not any(grant.ends_at is None or grant.ends_at >= ends_at for grant in own):
        raise RuleBroken("window_beyond_role", f"{principal.full_name} holds the role {role.name} for a shorter time. Choose an earlier end.", field="ends_at")


def check_can_approve_deputy(*, by: Actor, signer: User, authority: DeputyAuthority, now) -> None:
    """Raises NotAllowed; RuleBroken: `approved_before`, `window_over`, `window_too_long` and those of _check_lends_own, asked again."""
    check_person_may(signer, Permission.APPROVE_ACCESS, by.site_id)
    check_different_person(signer.pk, authority.proposed_by_id, "Who proposed an authority does not approve it. A second person has to do it.")
    check_different_person(signer.pk, authority.deputy_id, "Nobody approves their own authority. Somebody else has to do it.")
    if authority.approved_by_id is not None:
        raise RuleBroken("approved_before", "This authority is approved already.")
    if authority.ends_at <= now:
        raise RuleBroken("window_over", "The time of this authority has passed. A new one has to be proposed.")
    if authority.ends_at - authority.starts_at > LONGEST_AUTHORITY:
        raise RuleBroken("window_too_long", f"An authority lasts {LONGEST_AUTHORITY.days} days at most. A new one has to be proposed.")
    _check_lends_own(authority.principal, authority.role, authority.site_id, authority.ends_at)
    check_role_fits(authority.deputy, authority.role)
