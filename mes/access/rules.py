"""When access is reviewed, and when it is opened for support or an emergency."""

from __future__ import annotations

import datetime as dt

from mes.access.models import LONGEST, AccessReview, EmergencyAccess
from mes.errors import NotAllowed, RuleBroken
from mes.people.models import Role, User
from mes.people.rules import check_may, check_person_may, check_role_fits, permissions_of
from mes.permissions import Permission
from mes.records.actors import Actor
from mes.signatures.meanings import MEANINGS


def check_can_review_access(*, by: Actor, signer: User, result: str, findings: str) -> None:
    """Whoever gives access does not review it (ACC-07); the result is one of two, and says in words what was found."""
    check_person_may(signer, Permission.APPROVE_ACCESS, by.site_id)
    if result not in {AccessReview.CONFIRMED, AccessReview.CHANGES}:
        raise RuleBroken("result_unknown", "A review confirms the register or says that it has to change.", field="result")
    if len(findings.strip()) < 3:
        raise RuleBroken("findings_missing", "Say in words what the review found.", field="reason")


def signing_rights(permissions) -> set[str]:
    """Those of the permissions under which anything is signed, and those that change who may do what."""
    signs = {right for meaning in MEANINGS.values() for right in meaning.used_by}
    return {str(each) for each in permissions} & (signs | {str(Permission.MANAGE_PEOPLE), str(Permission.RECORD_TRAINING)})


def check_can_ask_for_emergency_access(*, by: Actor, user: User, role: Role, lasts: dt.timedelta) -> None:
    check_may(by, Permission.MANAGE_PEOPLE)
    if user.kind != User.PERSON:
        raise RuleBroken("not_a_person", "Only a person gets access for an emergency.")
    if user.pk == by.user_id:
        raise NotAllowed("own_rights", "Nobody asks for access for themselves. Another administrator has to do it.")
    if not dt.timedelta() < lasts <= LONGEST:
        raise RuleBroken("too_long", f"Emergency access lasts {LONGEST // dt.timedelta(hours=1)} hours at most.", field="hours")
    _check_without_signing(user, role)


def _check_without_signing(user: User, role: Role) -> None:
    """Neither the role nor what the person holds beside it signs anything. 21 CFR 11.10(g)."""
    if signing_rights(set(role.permissions) | permissions_of(user.pk, role.site_id)):
        raise NotAllowed("signing_right", f"{user.full_name} could sign or give access with this. Emergency access only reads and helps.")


def check_can_approve_emergency_access(*, by: Actor, access: EmergencyAccess, now: dt.datetime) -> None:
    check_may(by, Permission.APPROVE_ACCESS)
    if by.user_id in {access.asked_by_id, access.user_id}:
        raise NotAllowed("same_person", "Emergency access takes two persons: who asked for it, and another one who opens it.")
    if access.grant_id is not None:
        raise RuleBroken("approved_before", "This access was opened before.")
    if access.ends_at <= now:
        raise RuleBroken("window_over", "The time of this access has passed. Ask for it again.")
    _check_without_signing(access.user, access.role)
    check_role_fits(access.user, access.role)


def check_can_review_emergency_access(*, by: Actor, access: EmergencyAccess, findings: str, now: dt.datetime) -> None:
    check_may(by, Permission.APPROVE_ACCESS)
    if by.user_id == access.user_id:
        raise NotAllowed("same_person", "Who had the access does not review it.")
    if access.grant_id is None or access.grant.ends_at > now:
        raise RuleBroken("still_open", "Emergency access is reviewed once it has ended.")
    if access.reviewed_by_id is not None:
        raise RuleBroken("reviewed_before", "This access was reviewed before.")
    if len(findings.strip()) < 3:
        raise RuleBroken("findings_missing", "Say in words what was done with the access.", field="reason")
