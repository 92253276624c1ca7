"""Signatures of a record, and whether each still covers what it signed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from mes.people.standing import Standing
from mes.signatures import manifest
from mes.signatures.ceremony import Subject
from mes.signatures.models import DeputyAuthority, Signature


def signatures_of(record_ids: Iterable) -> list[Signature]:
    """Every signature of these records, oldest first. One query."""
    return list(
        Signature.objects.filter(record_id__in=list(record_ids))
        .select_related("payload")
        .order_by("recorded_at")
    )


def still_covers(signature: Signature, now: Subject) -> bool:
    """Whether the content as it is now is what was signed. False shows at once on page and PDF as "no longer covers"."""
    return bytes(signature.payload_digest) == manifest.digest(now.payload)


def payload_intact(signature: Signature) -> bool:
    """Whether the stored bytes are there and still give the signed digest. Without them a signature is none: the page says so and does not fail."""
    if not hasattr(signature, "payload"):
        return False
    return manifest.digest(bytes(signature.payload.content)) == bytes(
        signature.payload_digest
    )


@dataclass(frozen=True, slots=True)
class Capacity:
    """As what somebody signs: a role of their own, or a role under a deputy's authority."""

    role: str
    authority: DeputyAuthority | None = None


def capacities(standing: Standing, permissions: Iterable[str]) -> list[Capacity]:
    """The roles in force now under which somebody holds one of the permissions, their own before those of a deputy."""
    wanted = {str(each) for each in permissions}
    roles = [role for role in standing.roles if wanted & role.permissions]
    of_others = [role.grant_id for role in roles if role.lent]
    found_lent = DeputyAuthority.objects.filter(grant_id__in=of_others).select_related("principal") if of_others else []
    lent = {each.grant_id: each for each in found_lent}
    found = [Capacity(role.name, lent.get(role.grant_id)) for role in roles]
    return sorted(found, key=lambda each: each.authority is not None)


def authorities(site_id: uuid.UUID) -> list[DeputyAuthority]:
    """Every deputy's authority of a site, newest first, waiting ones too."""
    people = ("deputy", "principal", "role", "proposed_by", "approved_by", "grant")
    return list(DeputyAuthority.objects.filter(site_id=site_id).select_related(*people).order_by("-recorded_at"))
