"""Sample data of the gallery page itself, and the list of shells."""

from collections.abc import Callable
from decimal import Decimal as D

from mes.web.chart import draw
from mes.web.countdown import Countdown
from mes.web.gallery.board import board, track
from mes.web.gallery.desk import ENTRIES, EXCEPTIONS, REVIEWED, SIGNATURES, audit_trail, line, listing, release, review
from mes.web.gallery.floor import locked, out_of_limit, params, sign, step
from mes.web.gallery.results import certificate, qc
from mes.web.gallery.sample import LOT_STEP, NOW, VIABILITY, ago, count, hours, page
from mes.web.gauge import Limits


def chart() -> object:
    values = ["44.1", "46.3", "41.0", "39.8", "45.2", "47.7", "43.9", "42.6", "30.4", "30.1", "33.0", "31.2", "29.9", "31.7"]
    series = [(f"CT-26-01{20 + n}", value, "warn" if n > 7 else "") for n, value in enumerate(values)]
    return draw("CAR+ of viable CD3+, sample site", series, "%", ("15", "75"), ("21.4", "61.5"), "41.4", [(8, "recipe v3, new medium")])


#: Every shell with the function that fills it.
SHELLS: dict[str, Callable[[], dict]] = {
    "operator-step": step,
    "operator-out-of-limit": out_of_limit,
    "operator-sign": sign,
    "operator-sign-page": sign,
    "operator-locked": locked,
    "floor-board": board,
    "qa-review": review,
    "qa-release": release,
    "qa-audit-trail": audit_trail,
    "qc-results": qc,
    "certificate": certificate,
    "list": listing,
}


TOKENS = [
    "canvas",
    "surface",
    "raised",
    "field",
    "line",
    "line-strong",
    "track",
    "track-done",
    "allowed",
    "ink",
    "ink-2",
    "action",
    "action-tint",
    "alarm-fill",
    "alarm-tint",
    "warn-fill",
    "warn-tint",
    "hold-fill",
    "hold-tint",
    "flash-ok",
]


def gallery() -> dict:
    """Context of the gallery page."""
    return page("Ines Duarte", "Process engineer") | {
        "page_title": "Components",
        "tokens": TOKENS,
        "shells": list(SHELLS),
        "lot": LOT_STEP,
        "facts": step()["facts"],
        "slots": [
            {"id": "g1", "what": "AOPI stain", "which": "L2261-04 · exp 28 Feb 2027"},
            {"id": "g2", "what": "Counting slide", "which": "Scan any unused slide", "state": "next"},
            {"id": "g3", "what": "CS10, expired 31 Oct", "which": "Use L2240-02, cold room 2", "state": "alarm"},
        ],
        "viability": VIABILITY,
        "volume": Limits(low=D("180"), high=D("220")),
        "p": params()[1] | {"id": "gvia"},
        "c": {"id": "gtot", "label": "Total viable cells", "formula": "density × volume", "value": "2.28E+8"},
        "p_low": params("68.4")[1] | {"id": "glow", "message": "68.4 % is 1.6 below the lower limit of 70.0 %."},
        "clocks": [
            count("DMSO to freezer, limit 1 h 30", hours(0.51), hours(1.5), "since 14:01"),
            count("Apheresis hold, limit 48 h", hours(41.33), hours(48), "until 21:12"),
            count("Wash to formulation, limit 2 h 00", hours(2.14), hours(2), "since 12:24"),
            Countdown("On hold since 18 Nov 16:05", ago(hours=22.5), None, NOW, held=True),
        ],
        "now": NOW,
        "today": NOW.date(),
        "going": track(5),
        "stopped": track(6, "hold"),
        "signature": SIGNATURES[0] | {"name": "Priya Nandi", "user_name": "pnandi", "role": "operator"},
        "unsigned": SIGNATURES[2],
        "ways": out_of_limit()["ways"],
        "entries": ENTRIES,
        "e": EXCEPTIONS[0] | {"current": False},
        "e_done": REVIEWED[1],
        "line": line(),
        "bar": review()["bar"],
        "chart": chart(),
        "missing": [{"url": "#in-gvia", "text": "Enter the viability"}, {"url": "#slot-g2", "text": "Scan the counting slide"}],
        "lines": [*release()["lines"][:3], {"text": "1 deviation without signed impact", "state": "alarm", "beside": "DEV-26-0312"}],
        "pairs": [
            {"k": "Received", "v": "17 Nov 2026, 08:50 CET"},
            {"k": "Amount", "v": "250", "unit": "mL"},
            {"k": "Lot of the maker", "v": "L2261-04", "mono": True},
        ],
        "stats": [
            {"label": "Lots in process", "value": "12"},
            {"label": "Waiting for review", "value": "3"},
            {"label": "Mean dose", "value": "1.9", "unit": "10^6/kg"},
        ],
        "tabs": [{"label": "Overview", "url": "#", "current": True}, {"label": "Materials", "url": "#"}],
        "pager": {"words": "1 to 50 of 2316", "next_url": "#"},
        "table": {key: value for key, value in listing().items() if key in ("caption", "columns", "rows")},
        "tiles": [{"label": "Review", "value": 3, "text": "lots wait for you", "url": "#"}],
    }
