"""Passkeys of a person, and whose a handle is."""

from __future__ import annotations

import uuid

from mes.passkeys.models import Passkey
from mes.people.models import Qualification, SecondFactor


def passkeys_of(user_id: uuid.UUID) -> list[Passkey]:
    """Those in use or under suspicion, the newest first."""
    return list(Passkey.objects.filter(user_id=user_id, active=True).select_related("user").order_by("-recorded_at"))


def usable(user_id: uuid.UUID) -> list[Passkey]:
    """Those that can sign: in use and not under suspicion."""
    return [each for each in passkeys_of(user_id) if not each.suspect]


def with_handle(credential_id: bytes) -> Passkey | None:
    """Whosever it is, retired or not."""
    return Passkey.objects.filter(credential_id=credential_id).first()


def known(passkeys: list[Passkey]) -> list[tuple[bytes, list[str]]]:
    """Handles and ways to the device, for the browser."""
    return [(bytes(each.credential_id), each.transports) for each in passkeys]


def enrolled(passkey: Passkey) -> str:
    """Subject of the record that a second person checked who enrolled this passkey: without it nothing of it counts."""
    return f"passkey:{passkey.pk}"


def was_checked(passkey: Passkey) -> bool:
    """Whether somebody else checked who enrolled it."""
    return Qualification.objects.filter(user_id=passkey.user_id, subject=enrolled(passkey)).exclude(trainer_id=passkey.user_id).exists()


def retired_an_authenticator_of(user_id: uuid.UUID) -> set[uuid.UUID]:
    """Who ever retired a passkey or a generator of codes of this person."""
    kept = (Passkey.history, SecondFactor.history)
    return {one for history in kept for one in history.filter(user_id=user_id, active=False).values_list("history_user_id", flat=True)}
