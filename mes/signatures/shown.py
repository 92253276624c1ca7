"""A signature as screen and paper show it: full name, user name, role, meaning, time with zone. 21 CFR 11.50(a), (b)."""

from __future__ import annotations

from mes.clock import moment_words
from mes.errors import RuleBroken
from mes.signatures.meanings import MEANINGS
from mes.signatures.models import DeputyAuthority, Signature
from mes.signatures.queries import Capacity

ELEMENTS = {"full_name": "full name", "username": "user name", "meaning_text": "meaning", "recorded_at": "time", "site_time_zone": "time zone"}


def check_whole(sig: Signature) -> Signature:
    """A signature is shown whole or not at all. Raises RuleBroken("signature_incomplete"). 21 CFR 11.50(b); SIG-04.

    The role is no element of what people sign about themselves, for which no role is asked.
    """
    meant = MEANINGS.get(sig.meaning)
    wanted = ELEMENTS if meant is not None and not meant.used_by else ELEMENTS | {"role": "role"}
    lost = [words for field, words in wanted.items() if not getattr(sig, field)]
    if lost:
        raise RuleBroken("signature_incomplete", f"A signature here lacks its {' and '.join(lost)}, so nothing of it is shown. Call quality.")
    return sig


def signature(sig: Signature) -> dict:
    """For the component `signature`: the times are shown in the zone that the signature keeps. Raises what check_whole() raises."""
    check_whole(sig)
    return {
        "name": sig.full_name,
        "user_name": sig.username,
        "role": sig.role,
        "meaning": sig.meaning_text,
        "at": sig.recorded_at,
        "zone": sig.site_time_zone,
    }


def open_place(role: str, meaning: str) -> dict:
    """For the component `signature`: the place of one that is still to come."""
    return {"name": role, "meaning": meaning, "open": True}


def in_dialog(sig: Signature) -> dict:
    """For `done` of a signing page: who has signed this already."""
    return {"name": sig.full_name, "at": sig.recorded_at, "meaning": sig.meaning_text}


def role_as_signed(capacity: Capacity, zone: str) -> str:
    """The role as it is printed with a signature; a deputy's with whose place is taken and under which authority."""
    if capacity.authority is None:
        return capacity.role
    return f"{capacity.role}, {authority_in_words(capacity.authority, zone)}"


def authority_in_words(authority: DeputyAuthority, zone: str) -> str:
    """For example: deputy of Ada Byron, authority 0198..., 2 Mar 2026 08:00 to 9 Mar 2026 08:00 CET."""
    begin, end = (moment_words(moment, zone) for moment in (authority.starts_at, authority.ends_at))
    return f"deputy of {authority.principal.full_name}, authority {authority.pk}, {begin} to {end}"
