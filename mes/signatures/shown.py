"""A signature as screen and paper show it: full name, user name, role, meaning, time with zone. 21 CFR 11.50(a), (b)."""

from __future__ import annotations

from mes.signatures.models import Signature


def signature(sig: Signature) -> dict:
    """For the component `signature`: the times are shown in the zone that the signature keeps."""
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
