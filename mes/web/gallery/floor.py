"""Sample data of the tablet's pages."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

from mes.web.gallery.sample import LOT_STEP, MAYA, SAID, VIABILITY, ZONE, count
from mes.web.gauge import Limits


def params(viability: str = "82.4", volume: str = "") -> list[dict]:
    low = viability == "68.4"
    return [
        {
            "id": "vcd",
            "label": "Viable cell density",
            "url": "#",
            "kind": "number",
            "value": "1.12",
            "unit": "10^6/mL",
            "state": "ok",
            "limits": Limits(low=D("0.50"), high=D("2.50")),
            "recorded_at": datetime(2026, 11, 19, 13, 33, 50, tzinfo=UTC),
        },
        {
            "id": "via",
            "label": "Viability",
            "url": "#",
            "kind": "number",
            "value": viability,
            "unit": "%",
            "limits": VIABILITY,
            "state": "alarm" if low else "ok",
            "message": "",
        },
        {"id": "vol", "label": "Bag volume", "url": "#", "kind": "number", "value": volume, "unit": "mL", "limits": Limits(low=D("180"), high=D("220"))},
    ]


def step() -> dict:
    steps = [
        (12, "Record bag weight", "14:02 · M. Okafor", "done"),
        (13, "Take 1.0 mL sample", "14:20 · M. Okafor", "done"),
        (14, "Count cells, check viability", "Started 14:21", "now"),
        (15, "Calculate feed volume", "Automatic", "todo"),
        (16, "Scan and feed medium", "Two people", "todo"),
        (17, "Return bag to incubator", "Within 20 min", "todo"),
    ]
    return {
        "lot": LOT_STEP,
        "person": MAYA,
        "site_zone": ZONE,
        "demo": SAID,
        "operation": "Expansion, day 7",
        "facts": [
            {"k": "Patient identity", "v": "7K4-M2Q-91", "mono": True},
            {"k": "Expansion, day 7", "v": "Suite 2 · BSC-03", "opt": True},
            {"k": "Vein to vein", "v": "8 d 22 h of 18 d", "opt": "2"},
        ],
        "steps": [{"number": n, "title": t, "sub": s, "state": st, "url": "#"} for n, t, s, st in steps],
        "countdown": count("Sample to count, limit 30 min", timedelta(minutes=12), timedelta(minutes=30), "since 14:20"),
        "slots": [
            {"id": "1", "what": "AOPI stain", "which": "L2261-04\nexp 28 Feb 2027", "state": "done"},
            {"id": "2", "what": "Counter NC-07", "which": "Calibrated to\n3 Mar 2027", "state": "done"},
            {"id": "3", "what": "Counting slide", "which": "Scan any unused slide", "state": "next", "code": "SLD-8841"},
        ],
        "params": params(),
        "active": params()[1],
        "page_title": "Step 14, CT-26-0147",
        "total": {"id": "tot", "label": "Total viable cells", "formula": "density × volume", "needs": "Needs bag volume"},
    }


def out_of_limit() -> dict:
    return step() | {
        "params": params("68.4"),
        "countdown": count("Sample to count, limit 30 min", timedelta(minutes=14), timedelta(minutes=30), "since 14:20"),
        "ways": [
            {"value": "correct", "label": "Correct the value", "consequence": "I read or typed it wrong. The first value stays in the audit trail."},
            {
                "value": "keep",
                "label": "Keep 68.4 % and go on",
                "consequence": "Opens exception EX-3, tells R. Bos (shift lead) now, QA decides before release.",
                "checked": True,
            },
            {"value": "stop", "label": "Keep 68.4 % and stop the lot", "consequence": "Puts CT-26-0147 on hold and starts its hold clock."},
        ],
        "reasons": [
            {"value": str(n), "label": label, "checked": n == 0}
            for n, label in enumerate(("Recount agrees", "Clumps seen in chamber", "Instrument flag", "Other, write it below"))
        ],
    }


def sign() -> dict:
    return step() | {
        "title": "Sign step 14 of",
        "caption": "You are both signing for exactly this",
        "action": "#",
        "rows": [
            {"label": "Viable cell density", "value": "1.12", "unit": "10^6/mL"},
            {"label": "Viability", "value": "68.4", "unit": "%", "state": "alarm", "word": "Below limit", "sub": "limits 70.0 to 100.0"},
            {"label": "Bag volume", "value": "204", "unit": "mL"},
            {"label": "Total viable cells, calculated", "value": "2.28E+8"},
            {"label": "Reason for keeping 68.4 %", "value": "Recount agrees. Second slide 68.9 %."},
            {"label": "AOPI · slide · counter", "value": "L2261-04 · SLD-8841 · NC-07"},
            {"label": "Sampled to counted", "value": "14 min 10 s of 30 min"},
        ],
        "recap_hint": "Exception EX-3 opens when the second person signs. Record version 5.",
        "done": [
            {"name": "Maya Okafor", "at": datetime(2026, 11, 19, 13, 36, 8, tzinfo=UTC), "meaning": "Performed: I did this step and recorded it as I did it."}
        ],
        "meaning": "Verified: I watched this step and checked the values above.",
        "meaning_value": "verified",
        "who_fixed": "Jonas Lindqvist",
        "who_value": "jonas",
        "secret_label": "Signing PIN",
        "ok": "Sign",
        "foot": "Not Jonas? Scan another badge. The performer cannot also verify.",
        "back_url": "#",
        "params": params("68.4", "204"),
        "page_title": "Sign step 14, CT-26-0147",
    }


def locked() -> dict:
    kept = [
        {"label": "Viable cell density", "value": "1.12", "unit": "10^6/mL", "sub": "Maya Okafor, 14:33:50"},
        {"label": "Viability", "value": "82.4", "unit": "%", "sub": "Maya Okafor, 14:34:31"},
    ]
    return step() | {
        "rows": kept,
        "locked_at": datetime(2026, 11, 19, 13, 41, tzinfo=UTC),
        "action": "#",
        "last_name": "Maya",
        "clocks": [count("Sample to count", timedelta(minutes=21), timedelta(minutes=30))],
        "page_title": "Locked, CT-26-0147",
    }
