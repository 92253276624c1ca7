"""Who binds a passkey to whom, and who takes it away: the same as for the generator of one-time codes."""

from __future__ import annotations

import uuid

from mes.errors import Missing, NotAllowed, RuleBroken
from mes.passkeys.models import Passkey
from mes.people.models import User
from mes.people.rules import check_may
from mes.permissions import Permission
from mes.records.actors import Actor

MOST = 10
"""Passkeys in use of one person: a telephone, a desk, a spare key, and room."""


def check_can_enrol_passkey(*, by: Actor, user_id: uuid.UUID, name: str, credential_id: bytes, checked_by: Actor, retired_by: set) -> None:
    """Raises NotAllowed: `not_your_passkey`, `same_person`, and `not_your_role` for a second person without the right to record training;
    RuleBroken: `passkey_unnamed`, `passkey_known`, `passkeys_many`. 21 CFR 11.200(a)(3).
    """
    if by.user_id != user_id or by.kind != User.PERSON:
        raise NotAllowed("not_your_passkey", "A passkey is enrolled by its owner alone.")
    if checked_by.user_id in {user_id, *retired_by}:
        raise NotAllowed(
            "same_person", "Who checks the identity is neither the owner nor who retired an earlier authenticator. Another person has to do it.",
            field="witness",
        )
    check_may(checked_by, Permission.RECORD_TRAINING)
    if not name.strip():
        raise RuleBroken("passkey_unnamed", "Give the passkey a name by which you know the device.", field="name")
    if Passkey.objects.filter(credential_id=credential_id).exists():
        raise RuleBroken("passkey_known", "This passkey is enrolled already, or was. Make a new one in the device.")
    if Passkey.objects.filter(user_id=user_id, active=True).count() >= MOST:
        raise RuleBroken("passkeys_many", f"{MOST} passkeys are enrolled. An administrator can retire one that is not used any more.")


def check_can_retire_passkey(*, by: Actor, passkey: Passkey) -> None:
    """Raises NotAllowed: `own_passkey` and `not_your_role`; Missing at another site; RuleBroken: `passkey_retired`. 21 CFR 11.300(c)."""
    if by.user_id == passkey.user_id:
        raise NotAllowed("own_passkey", "Nobody retires their own passkey. An administrator has to do it.")
    check_may(by, Permission.MANAGE_PEOPLE)
    if passkey.user.site_id != by.site_id:
        raise Missing("not_found", "There is nobody with this address here. Look in the register.")
    if not passkey.active:
        raise RuleBroken("passkey_retired", "This passkey was retired before.")


def check_can_suspect_passkey(*, by: Actor, passkey: Passkey) -> None:
    """Raises RuleBroken("passkey_retired"): what is retired signs nothing anyway."""
    if not passkey.active:
        raise RuleBroken("passkey_retired", "This passkey was retired before.")
