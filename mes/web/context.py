"""What every template knows: who acts, where, what they may open, and whether the data is made up."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.http import HttpRequest

from mes import clock
from mes.web import panels


def page(request: HttpRequest) -> dict:
    """Context of base.html and its components, for the signed-in person; nearly empty for a stranger."""
    by, site = getattr(request, "actor", None), getattr(request, "site", None)
    shared = {"nav": [], "person": None, "actor": by, "demo": "", "go_url": "/go/", "sign_out_url": "/sign-out/"}
    if by is None:
        return shared | {"demo": words_of_mode()}
    return shared | {
        "demo": demo_words(site),
        "nav": panels.nav_for(request.rights, request.path),
        "marks": panels.panels_for(request.rights, "mark"),
        "rights": request.rights,
        "person": {"name": by.full_name, "role": by.role, "site": site.name if site else "", "url": "/me/"},
        "site_name": site.name if site else "",
        "site_zone": site.time_zone if site else "UTC",
        "lock_url": "/lock/",
        "lock_after": settings.IDLE_SECONDS,
        "ping_url": "/livez",
    }


def demo_words(site) -> str:
    """The banner of a demo, and how far the simulated record clock runs ahead; empty in production."""
    words = ["Demo data. People, patients and lots on this page are made up." if site is not None and site.demo else words_of_mode()]
    if settings.SIMULATED_CLOCK and (offset := clock.offset()):
        words.append(f"The record clock is simulated: it runs {span(abs(offset))} {'ahead' if offset.total_seconds() > 0 else 'behind'}.")
    return " ".join(word for word in words if word)


def words_of_mode() -> str:
    """What a stranger is told: whether this installation is for patients at all. Asks no database."""
    return "" if settings.CARTULARY_MODE == "production" else f"This is a {settings.CARTULARY_MODE} installation, not for patients."


def span(length: dt.timedelta) -> str:
    """A length of time in words: "17 d 03 h", "6 h 40 min"."""
    minutes = int(length.total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours:02d} h"
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"
