"""Who may do what, asked of the database at the moment of use. 21 CFR 11.10(d), (g)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from enum import StrEnum

from django.contrib.auth.hashers import check_password

from mes.errors import Missing, NotAllowed, RuleBroken, SigningRefused
from mes.people import passwords, queries
from mes.people.jurisdictions import PROFILES, PasswordPolicy, profile_of
from mes.people.models import Grant, PersonLock, Qualification, User
from mes.people.segregation import TEMPORARY_ROLES, conflict_in
from mes.people.standing import Standing
from mes.records.actors import Actor
from mes.records.models import RecordNow

LEAST_PIN = 6


def live_grants(user_id: uuid.UUID, site_id: uuid.UUID):
    return queries.in_force().filter(user_id=user_id, site_id=site_id).select_related("role")


def may(user_id: uuid.UUID, permission: StrEnum, site_id: uuid.UUID) -> bool:
    """Whether this person, active and not locked, holds the permission at the site now."""
    return any(str(permission) in grant.role.permissions for grant in live_grants(user_id, site_id))


def permissions_of(user_id: uuid.UUID, site_id: uuid.UUID, standing: Standing | None = None) -> frozenset[str]:
    """Every permission the person or device holds at the site now."""
    if standing is not None and standing.is_of(user_id, site_id):
        return standing.permissions
    return frozenset().union(*(grant.role.permissions for grant in live_grants(user_id, site_id)))


def role_for(user_id: uuid.UUID, permission: StrEnum, site_id: uuid.UUID) -> str:
    """The name of the role under which the person holds the permission ("" when they do not)."""
    names = [g.role.name for g in live_grants(user_id, site_id) if str(permission) in g.role.permissions]
    return names[0] if names else ""


def check_may(by: Actor, permission: StrEnum, held: frozenset[str] | None = None) -> None:
    """Raises NotAllowed("not_your_role") with the permission's plain name when the actor lacks it here and now.

    `held` is what the same request has just read of the same actor; without it the database is asked.
    """
    held = permissions_of(by.user_id, by.site_id) if held is None else held
    check_apart(by.full_name, permission, held)
    if str(permission) not in held:
        words = str(permission).split(".")[-1].replace("_", " ")
        sentence = f"{by.full_name} may not {words} at this site. Ask somebody whose role allows it."
        raise NotAllowed("not_your_role", sentence, detail={"permission": str(permission)})


def check_apart(full_name: str, permission: StrEnum, held: frozenset[str]) -> None:
    """Asked at every use: rights that came together past the rules, for example by a direct insert, open nothing. ACC-07."""
    conflict = conflict_in(held, with_permission=str(permission)) if str(permission) in held else None
    if conflict is not None:
        raise NotAllowed(
            conflict.code,
            f"{full_name} holds roles with which one person would {conflict.words}. None of it is done before an administrator ends one of them.",
            detail={"permission": str(permission)},
        )


def check_person_may(user: User, permission: StrEnum, site_id: uuid.UUID, standing: Standing | None = None) -> None:
    """The same for a signer who is not the session's user; with a standing of theirs that was just read nothing is asked again."""
    if user.kind != User.PERSON:
        raise NotAllowed(
            "only_people_sign",
            "A device or a program never signs. A person has to do it.",
        )
    held = permissions_of(user.pk, site_id, standing)
    check_apart(user.full_name, permission, held)
    if str(permission) not in held:
        words = str(permission).split(".")[-1].replace("_", " ")
        raise NotAllowed(
            "not_your_role",
            f"{user.full_name} may not {words} at this site. Ask somebody whose role allows it.",
        )


def is_qualified(user_id: uuid.UUID, subject: str) -> bool:
    from django.db.models import Q

    return Qualification.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=RecordNow()),
        user_id=user_id,
        subject=subject,
        starts_at__lte=RecordNow(),
    ).exists()


def check_qualified(user: User, subject: str, title: str, standing: Standing | None = None) -> None:
    """Raises NotAllowed("not_trained"): the training gate. 21 CFR 211.25(a)."""
    trained = standing.trained_for == subject if standing is not None and standing.user.pk == user.pk else is_qualified(user.pk, subject)
    if not trained:
        raise NotAllowed(
            "not_trained",
            f"{user.full_name} has no training in force for {title}. A supervisor can record it; until then somebody trained takes over.",
        )


def is_locked(user_id: uuid.UUID, known: bool | None = None) -> bool:
    """Whether the person is locked out; `known` is what the same request or deed has just read with the person."""
    return known if known is not None else PersonLock.objects.filter(user_id=user_id, open=True).exists()


def check_can_open_site(*, by: Actor, code: str, jurisdiction: str, decimal_sign: str = ".") -> None:
    if not code:
        raise RuleBroken("site_without_code", "A site needs a code.", field="code")
    if jurisdiction not in PROFILES:
        raise RuleBroken("jurisdiction_unknown", f"There is no profile of {jurisdiction}. There are: {', '.join(PROFILES)}.", field="jurisdiction")
    if decimal_sign not in (".", ","):
        raise RuleBroken("decimal_sign_unknown", "Decimals are written with a point or with a comma.", field="decimal_sign")


def check_can_define_role(*, by: Actor, code: str, permissions: list[str]) -> None:
    if by.kind != "system":
        check_may(by, _permission().MANAGE_PEOPLE)
    conflict = conflict_in([str(permission) for permission in permissions])
    if conflict is not None:
        raise RuleBroken(conflict.code, f"Who holds this role would {conflict.words}. One person never does both.", field="permissions")
    if not permissions and code != "treatment_centre":
        raise RuleBroken("role_without_rights", "A role needs at least one permission.", field="permissions")


def _permission():
    from mes.permissions import Permission

    return Permission


def check_can_enrol_person(*, by: Actor, username: str, full_name: str) -> None:
    if by.kind != "system":
        check_may(by, _permission().MANAGE_PEOPLE)
    if User.objects.filter(username__iexact=username).exists():
        raise RuleBroken(
            "username_taken",
            f"The user name {username} has been given before. User names are never used again.",
            field="username",
        )
    if not full_name.strip():
        raise RuleBroken(
            "name_missing",
            "A person is enrolled with the full name that signatures will show.",
            field="full_name",
        )


def check_can_name_system_actor(*, by: Actor, username: str) -> None:
    if by.kind != "system":
        raise NotAllowed("only_setup", "Named jobs are set up by the installation alone.")


def check_can_grant_role(*, by: Actor, user: User, role, ends_at: dt.datetime | None) -> None:
    if role.code in TEMPORARY_ROLES and ends_at is None:
        raise RuleBroken("end_missing", f"The role {role.name} is given with an end: a day, and the hour.", field="until")
    if by.kind != "system":
        check_may(by, _permission().MANAGE_PEOPLE)
        if user.pk == by.user_id:
            raise NotAllowed(
                "own_rights",
                "Nobody gives a role to themselves. Another administrator has to do it.",
            )
    check_role_fits(user, role)


def check_role_fits(user: User, role) -> None:
    """Raises NotAllowed when the role does not go together with what the person holds there, now or later. ACC-07; PI 041-1 9.5.

    The database refuses the same by itself (guard.duties_apart), without a sentence.
    """
    held = queries.live_or_later(user.pk, role.site_id)
    conflict = conflict_in({permission for grant in held for permission in grant.role.permissions} | set(role.permissions))
    if conflict is not None:
        raise NotAllowed(
            conflict.code,
            f"{user.full_name} would {conflict.words}. One person never does both.",
        )


def check_can_close_account(*, by: Actor, user: User) -> None:
    check_may(by, _permission().MANAGE_PEOPLE)
    if user.pk == by.user_id:
        raise NotAllowed("own_account", "Nobody closes their own account. Another administrator has to do it.")
    if user.site_id != by.site_id or user.kind == User.SYSTEM:
        raise NotAllowed("other_site", f"{user.full_name} was enrolled elsewhere. An administrator there closes the account.")
    if not user.is_active:
        raise RuleBroken("account_closed", "This account was closed before.")


def check_can_end_sessions(*, by: Actor, user: User) -> None:
    if by.user_id != user.pk:
        check_may(by, _permission().MANAGE_PEOPLE)
        check_of_this_site(by, user.pk)


def check_can_end_grant(*, by: Actor, grant: Grant, now: dt.datetime) -> None:
    if by.kind != "system":
        check_may(by, _permission().MANAGE_PEOPLE)
        if grant.site_id != by.site_id:
            raise Missing("not_found", "There is no such role here. Look in the register.")
    if grant.ends_at is not None and grant.ends_at <= now:
        raise RuleBroken("grant_ended", "This role was ended before.")


def check_can_set_password(*, by: Actor, user: User, new: str, policy: PasswordPolicy, said: Iterable[str] = ()) -> None:
    """`said`: names of the person and the site. Raises NotAllowed, RuleBroken: password_short, _known, _used, _has_name, _of_here."""
    if by.user_id != user.pk and by.kind != "system":
        raise NotAllowed("not_your_password", "A password is set by its owner alone.")
    if len(new) < policy.least:
        raise RuleBroken("password_short", f"A password has at least {policy.least} characters.", field="new")
    if passwords.is_known(new):
        raise RuleBroken("password_known", "This password is known from breaches, or nearly so, and guessed first. Choose another one.", field="new")
    if any(check_password(new, earlier) for earlier in queries.earlier_passwords(user.pk, policy.remembered)):
        raise RuleBroken("password_used", f"You had this password before. The last {policy.remembered} are not taken again.", field="new")
    if user.username.lower() in new.lower():
        raise RuleBroken("password_has_name", "A password does not contain the user name.", field="new")
    if word := passwords.word_of_here(new, said):
        raise RuleBroken("password_of_here", f"A password does not lean on what everybody here would try first, such as {word}.", field="new")


def check_can_set_pin(*, by: Actor, user: User, pin: str) -> None:
    if by.user_id != user.pk and by.kind != "system":
        raise NotAllowed("not_your_pin", "A signing PIN is set by its owner alone.")
    if len(pin) < LEAST_PIN or not pin.isdecimal():
        raise RuleBroken("pin_short", f"A signing PIN has at least {LEAST_PIN} digits.", field="pin")
    if len(set(pin)) == 1 or pin in "01234567890123456789" or pin in "98765432109876543210":
        raise RuleBroken("pin_guessable", "This PIN is too easy to guess. Choose one that is no repeat and no row of digits.", field="pin")


def check_can_record_qualification(*, by: Actor, user: User, subject: str) -> None:
    if by.kind != "system":
        check_may(by, _permission().RECORD_TRAINING)
        if by.user_id == user.pk:
            raise NotAllowed("own_training", "Nobody records their own training. The trainer has to do it.")


def check_of_this_site(by: Actor, user_id) -> None:
    """Locks, authenticators and tokens are kept by the site that enrolled their owner, and by no other. Raises Missing: elsewhere nobody is told."""
    if not User.objects.filter(pk=user_id, site_id=by.site_id).exists():
        raise Missing("not_found", "There is nobody with this address here. Look in the register.")


def check_can_unlock_person(*, by: Actor, lock: PersonLock) -> None:
    check_may(by, _permission().UNLOCK_PEOPLE)
    check_of_this_site(by, lock.user_id)
    if lock.user_id == by.user_id:
        raise NotAllowed("own_lock", "Nobody unlocks themselves.")
    if not lock.open:
        raise RuleBroken("lock_ended", "This person is not locked.")


def check_can_issue_device_token(*, by: Actor, user: User) -> None:
    if by.kind != "system":
        check_may(by, _permission().MANAGE_PEOPLE)
        check_of_this_site(by, user.pk)
    if user.kind != User.DEVICE:
        raise RuleBroken("not_a_device", "Only a device has a token. People sign in.")


def check_can_revoke_device_token(*, by: Actor, credential) -> None:
    check_may(by, _permission().MANAGE_PEOPLE)
    check_of_this_site(by, credential.user_id)
    if credential.revoked:
        raise RuleBroken("token_revoked", "This token was revoked before.")


def check_can_begin_second_factor(*, by: Actor, user_id) -> None:
    from mes.people.models import SecondFactor

    if by.user_id != user_id:
        raise NotAllowed("not_your_second_factor", "An authenticator is enrolled by its owner alone.")
    if SecondFactor.objects.filter(user_id=user_id, active=True, confirmed=True).exists():
        raise RuleBroken(
            "second_factor_exists", "An authenticator is enrolled already. An administrator can retire it when it is lost; then enrol another.",
        )


def check_can_confirm_second_factor(*, by: Actor, user_id, checked_by: Actor, retired_by: set) -> None:
    """Raises NotAllowed: `not_your_second_factor`, `same_person`, and `not_your_role` for a second person without the right to record training."""
    if by.user_id != user_id:
        raise NotAllowed(
            "not_your_second_factor",
            "An authenticator is confirmed by its owner alone.",
        )
    if checked_by.user_id in {user_id, *retired_by}:
        raise NotAllowed(
            "same_person",
            "Who checks the identity is neither the owner nor who retired an earlier authenticator. Another person has to do it.",
        )
    check_may(checked_by, _permission().RECORD_TRAINING)


def check_can_use_code(*, by: Actor, user_id) -> None:
    if is_locked(user_id):
        raise NotAllowed(
            "locked_out",
            "This person is locked out. An administrator can lift the lock.",
        )


def check_can_record_sign_in(*, by: Actor) -> None:
    _check_has_sessions(by)


def check_can_record_sign_out(*, by: Actor) -> None:
    _check_has_sessions(by)


def _check_has_sessions(by: Actor) -> None:
    if by.kind == User.DEVICE:
        raise RuleBroken("device_session", "A device has no session. It sends its token with each request.")


def check_can_lock_person(*, by: Actor, user_id) -> None:
    if not User.objects.filter(pk=user_id, kind=User.PERSON).exists():
        raise RuleBroken("not_a_person", "Only a person is locked out.")


def check_can_invite_person(*, by: Actor, user: User) -> None:
    if by.kind != "system":
        check_may(by, _permission().MANAGE_PEOPLE)
    if user.kind != User.PERSON:
        raise RuleBroken("not_a_person", "Only a person gets a joining link. A device gets a token.")
    if user.site_id != by.site_id:
        raise NotAllowed("other_site", f"{user.full_name} was enrolled at another site. An administrator there makes the link.")
    if user.pk == by.user_id:
        raise NotAllowed("own_link", "Nobody makes a joining link for themselves. Another administrator has to do it.")


def check_can_join_person(*, by: Actor, user: User, invited_by: uuid.UUID, checked_by: Actor) -> None:
    if by.user_id != user.pk:
        raise NotAllowed("not_your_password", "A password is set by its owner alone.")
    if checked_by.user_id in {user.pk, invited_by}:
        raise NotAllowed("same_person", "Who checks the identity is neither the person who joins nor who made the link. A third person has to do it.")
    check_may(checked_by, _permission().RECORD_TRAINING)


def check_can_retire_second_factor(*, by: Actor, factor) -> None:
    if by.user_id == factor.user_id:
        raise NotAllowed("own_authenticator", "Nobody retires their own authenticator. An administrator has to do it.")
    if by.kind != "system":
        check_may(by, _permission().MANAGE_PEOPLE)
        check_of_this_site(by, factor.user_id)
    if not factor.active:
        raise RuleBroken("second_factor_retired", "This authenticator was retired before.")


def check_signing_enabled(user: User, site_id: uuid.UUID, *, to_acknowledge: bool = False, there: queries.Enabling | None = None) -> None:
    """Raises SigningRefused with the record that is missing. `to_acknowledge`: for the acknowledgement itself, which is one of the three;
    `there`: which of them are there, where it was just read.

    21 CFR 11.100(b): identity first; 11.10(j): accountability; 11.100(c): notice to the authority where the site's market asks for it.
    """
    there = there or queries.enabling(user.pk, site_id)
    if not there.identity:
        raise SigningRefused(
            "identity_not_verified",
            f"{user.full_name} cannot sign yet: nobody has recorded that their identity was checked. Somebody who records training does it under People.",
        )
    if to_acknowledge:
        return
    if not there.acknowledged:
        raise SigningRefused(
            "accountability_not_acknowledged",
            f"{user.full_name} cannot sign yet: the acknowledgement of accountability is not signed. It stands under the own name, top right.",
        )
    if there.notice is not None:
        raise SigningRefused(
            "notice_missing",
            f"Nobody can sign at this site yet: {there.notice.text} is not recorded ({there.notice.authority}, {there.notice.clause}). "
            "An administrator records it under People.",
        )


def check_can_verify_identity(*, by: Actor, user: User, means: str) -> None:
    if user.kind != User.PERSON:
        raise RuleBroken("not_a_person", "Only a person has an identity to check. A device gets a token.")
    if by.user_id == user.pk:
        raise NotAllowed("own_identity", "Nobody checks their own identity. Somebody else has to do it.")
    if by.kind != "system":
        check_may(by, _permission().RECORD_TRAINING)
    if len(means.strip()) < 3:
        raise RuleBroken("means_missing", "Say how the identity was checked, for example: passport, in person.", field="means")


def check_can_record_notice(*, by: Actor, jurisdiction: str, sent_on: dt.date, today: dt.date, reference: str) -> None:
    check_may(by, _permission().MANAGE_PEOPLE)
    if profile_of(jurisdiction).notice is None:
        raise RuleBroken("no_notice_asked", f"{profile_of(jurisdiction).name}: no authority asks for a notice on electronic signatures.")
    if sent_on > today:
        raise RuleBroken("notice_in_future", "A notice is recorded once it is sent. This day is still to come.", field="sent_on")
    if len(reference.strip()) < 3:
        raise RuleBroken("reference_missing", "Write the reference under which the notice can be found again.", field="reference")
