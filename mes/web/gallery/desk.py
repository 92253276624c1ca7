"""Sample data of review, release, audit trail and lists."""

from datetime import UTC, datetime, timedelta

from mes.web.gallery.sample import LOT_QA, NOW, count, page
from mes.web.timeline import Mark, Stage, lay_out

EXCEPTIONS = [
    {
        "number": 5,
        "title": "Wash to formulation held 2 h 08",
        "where": "Harvest · step 9 · 17 Nov 11:52",
        "severity": "Major",
        "state": "alarm",
        "current": True,
        "url": "#",
    },
    {"number": 7, "title": "Second person signed 41 min late", "where": "Freezing · step 6 · 17 Nov 16:30", "severity": "Minor", "state": "warn", "url": "#"},
]


REVIEWED = [
    {"number": number, "title": title, "where": where + " · A. Brandt", "severity": severity, "done": True, "url": "#"}
    for number, title, where, severity in (
        (1, "Apheresis label typed, not scanned", "Accepted, no impact", "Minor"),
        (2, "Viability 68.4 %", "Accepted with DEV-26-0309", "Major"),
        (3, "Entry made 3 h 10 after the event", "Accepted, no impact", "Minor"),
        (4, "Harvest volume corrected, 412 to 142 mL", "Accepted, no impact", "Minor"),
        (6, "Incubator CO₂ alarm, 6 min at 4.1 %", "Accepted, no impact", "Minor"),
    )
]


SIGNATURES = [
    {"name": "P. Nandi", "meaning": "Production complete", "at": datetime(2026, 11, 18, 7, 12, 44, tzinfo=UTC)},
    {"name": "L. Verhoef", "meaning": "QC results approved", "at": datetime(2026, 11, 19, 8, 40, 2, tzinfo=UTC)},
    {"name": "QA reviewer", "meaning": "after exception 7", "open": True},
    {"name": "Qualified Person", "meaning": "release decision", "open": True},
]


ENTRIES = [
    {"at": datetime(2026, 11, 17, 10, 52, 40, tzinfo=UTC), "event": "Step 9 signed", "what": "Verified", "who": "J. Lindqvist"},
    {
        "at": datetime(2026, 11, 17, 10, 51, 30, tzinfo=UTC),
        "event": "Reason given",
        "what": "EX-5",
        "who": "P. Nandi",
        "text": "Centrifuge C-02 imbalance stop; restarted after re-balancing. Cells kept at 2 to 8 °C.",
    },
    {
        "at": datetime(2026, 11, 17, 10, 44, tzinfo=UTC),
        "event": "Limit passed",
        "what": "Wash to formulation",
        "who": "System",
        "text": "2 h 00 reached; P. Nandi and R. Bos told",
    },
    {
        "at": datetime(2026, 11, 17, 8, 58, 12, tzinfo=UTC),
        "event": "Changed",
        "what": "Wash 2 volume",
        "who": "P. Nandi",
        "old": "350 mL",
        "new": "305 mL",
        "why": "Transposed digits, read again from scale SC-11",
        "changed": True,
    },
]


def line() -> dict:
    day = lambda number, hour=0: datetime(2026, 11, number, hour, tzinfo=UTC)  # noqa: E731 - a table reads better with it
    stages = [
        Stage("Receipt", day(2, 10), day(2, 18)),
        Stage("Selection", day(2, 18), day(3, 10)),
        Stage("Activation", day(3, 10), day(4, 14)),
        Stage("Transduction", day(4, 14), day(6, 12)),
        Stage("Expansion", day(6, 12), day(15, 8)),
        Stage("Harvest", day(15, 8), day(17, 12)),
        Stage("Freezing", day(17, 12), day(17, 16)),
        Stage("QC", day(17, 16), day(19, 10)),
        Stage("Review", day(19, 10), NOW),
    ]
    marks = [
        Mark(1, day(2, 17)),
        Mark(2, day(9, 16), "triangle"),
        Mark(3, day(11, 13)),
        Mark(4, day(15, 6)),
        Mark(5, day(17, 11), "triangle", "alarm"),
        Mark(6, day(12, 8)),
        Mark(7, day(17, 15), "diamond", "warn"),
    ]
    return lay_out(stages, marks, NOW, day(20, 10), "18 d limit", "Lot timeline, 2 to 19 November, with seven exceptions marked")


def review() -> dict:
    return page("Anke Brandt", "QA reviewer", "Review") | {
        "lot": LOT_QA,
        "page_title": "Review CT-26-0139",
        "band_acts": "mes/web/shells/_release_acts.html",
        "facts": [{"k": "Patient identity", "v": "C8R-1ZL-77", "mono": True, "opt": True}, {"k": "Infusion slot", "v": "UMC Groningen, 22 Nov"}],
        "band_clock": count("Vein to vein, 21 h left", timedelta(days=17, hours=3), timedelta(days=18), "of 18 d", elapsed=True),
        "line": line(),
        "open": EXCEPTIONS,
        "reviewed": REVIEWED,
        "signatures": SIGNATURES,
        "entries": ENTRIES,
        "bar": {
            "words": "Hold of 2 hours 8 minutes against a limit of 2 hours",
            "used": "88.3",
            "limit": "88.3",
            "over": "5.9",
            "start_text": "09:44 bag W2 scanned",
            "limit_text": "limit 2 h 00 · 11:44",
            "over_text": "8 min over",
        },
        "checks": [
            ("Values against limits", "412", "1 found"),
            ("Time limits", "38", "1 found"),
            ("Step order", "312", ""),
            ("Materials, expiry, scan", "164", "1 found"),
            ("Equipment, calibration", "57", "1 found"),
            ("Signatures, roles, training", "402", "1 found"),
            ("Late or changed entries", "1204", "2 found"),
            ("Identity at hand-overs", "26", ""),
        ],
        "effects": [
            ("Viability after wash", "91.2", "%", "usual 88 to 95"),
            ("Recovery", "84", "%", "usual 79 to 92"),
            ("Temperature", "3.1 to 5.6", "°C", "limit 2 to 8"),
        ],
        "around": [
            ("9", "Wash to formulation timer", "09:44 to 11:52", "System", "alarm"),
            ("9", "C-02 stopped, imbalance, 21 min", "10:58", "C-02 log", ""),
            ("9", "Bag W2 temperature 4.8 °C", "11:21", "Probe T-14", ""),
            ("10", "Resuspend in CS10, 68 mL", "11:58", "P. Nandi", ""),
        ],
        "decisions": [
            {"value": str(number), "label": label} for number, label in enumerate(("Accept", "Accept with deviation", "Ask production", "Blocks release"))
        ],
    }


def release() -> dict:
    return (
        review()
        | page("Ruben Maas", "Qualified Person", "Review")
        | {
            "page_title": "Release CT-26-0139",
            "band_acts": "",
            "action": "#",
            "subtitle": "NX-119 · patient C8R-1ZL-77 · UMC Groningen, 22 Nov · 2 bags, 68 mL",
            "lines": [
                {"text": "7 of 7 exceptions reviewed", "beside": "A. Brandt, 13:58"},
                {"text": "12 of 13 results within specification", "beside": "sterility day 6 of 14", "state": "pending"},
                {"text": "Impact of deviations 0309 and 0311 signed", "beside": "none open"},
                {"text": "Identity confirmed at 26 of 26 hand-overs"},
                {"text": "Labels reconciled, 6 of 6"},
                {"text": "Audit trail reviewed", "beside": "A. Brandt, 13:58"},
            ],
            "conditions": [
                {
                    "title": "Sterility is not final.",
                    "text": "Release now is conditional. Final reading 27 Nov; the treating physician is told the same day if it is positive.",
                }
            ],
            "choices": [
                {"value": "final", "label": "Release"},
                {"value": "stage1", "label": "Release, sterility pending"},
                {"value": "reject", "label": "Reject"},
            ],
            "meaning": "I certify that this lot was made and tested under GMP and meets its marketing authorisation, with sterility to follow.",
            "signing_as": "Dr Ruben Maas, Qualified Person",
            "at": NOW,
            "record_text": "v218 · 9f3c 41ab",
            "ok": "Sign the decision",
            "back_url": "#",
            "foot_text": "Signing frees the lot for courier pickup 20 Nov 09:00 and locks the record.",
        }
    )


def audit_trail() -> dict:
    return review() | {
        "page_title": "Audit trail CT-26-0139",
        "band_acts": "",
        "summary": "Newest first. Times in CET. 2316 events, sequence unbroken.",
        "filters": [
            {"label": "Changes after save", "count": 9, "url": "#"},
            {"label": "Around exception 5", "count": 31, "url": "#", "current": True},
            {"label": "Sign-offs", "count": 402, "url": "#"},
            {"label": "All", "url": "#"},
        ],
    }


def listing() -> dict:
    cell = lambda text, **more: {"text": text} | more  # noqa: E731 - a table reads better with it
    rows = [
        {
            "url": "#",
            "state": state,
            "cells": [cell(number, mono=True, sub="NX-119"), cell(stage), cell(via, number=True, unit="%"), cell("", word=word, state=state)],
        }
        for number, stage, via, word, state in (
            ("CT-26-0144", "Harvest", "91.2", "8 min over", "alarm"),
            ("CT-26-0145", "Harvest", "88.4", "On hold", "hold"),
            ("CT-26-0146", "Expansion", "88.0", "On track", ""),
        )
    ]
    return page("Ines Duarte", "Process engineer", "Lots") | {
        "heading": "Lots",
        "lead": "3 lots in process at Utrecht",
        "caption": "Lots",
        "columns": [{"label": "Lot"}, {"label": "Stage"}, {"label": "Viability", "number": True}, {"label": "Status"}],
        "rows": rows,
        "table_id": "lots",
        "page_title": "Lots",
        "pager": {"words": "1 to 3 of 40", "next_url": "#"},
    }
