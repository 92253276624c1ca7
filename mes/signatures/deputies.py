"""What is signed when somebody approves that one person takes another one's place. 21 CFR 11.100(a)."""

from __future__ import annotations

from mes.signatures import ceremony
from mes.signatures.models import DeputyAuthority


def subject_of(authority: DeputyAuthority) -> ceremony.Subject:
    """The authority as it is approved: who, for whom, in which role, from when to when, why."""
    content = {
        "deputy": {"full_name": authority.deputy.full_name, "username": authority.deputy.username},
        "principal": {"full_name": authority.principal.full_name, "username": authority.principal.username},
        "role": authority.role.name,
        "permissions": list(authority.role.permissions),
        "from": authority.starts_at.isoformat(),
        "to": authority.ends_at.isoformat(),
        "why": authority.why,
        "proposed_by": authority.proposed_by.username,
    }
    return ceremony.subject(authority, "deputy/1", content)
