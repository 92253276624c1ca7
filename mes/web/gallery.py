"""Sample data of the component gallery. Every person, patient, lot and number here is made up; nothing is read or written."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

from mes.web.chart import draw
from mes.web.countdown import Countdown
from mes.web.gauge import Limits
from mes.web.timeline import Mark, Stage, lay_out

NOW = datetime(2026, 11, 19, 13, 32, 8, tzinfo=UTC)
ZONE = "Europe/Amsterdam"
SAID = "Sample data. People, patients and lots here are made up."

NAV = [{"label": label, "url": "#"} for label in ("Floor", "Lots", "QC", "Review", "Trends", "Recipes")]
MAYA = {"name": "Maya Okafor", "role": "Operator", "site": "Utrecht"}
LOT_STEP = {"check": "7K4", "number": "CT-26-0147", "product": "NX-119, anti-CD19 CAR-T"}
LOT_QA = {"check": "C8R", "number": "CT-26-0139", "product": "NX-119, anti-CD19 CAR-T · MBR-014 v3"}
VIABILITY = Limits(low=D("70.0"), high=D("100.0"), alert_low=D("75.0"), window_low=D("58"), window_high=D("104"))


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


def count(label: str, used: timedelta, limit: timedelta, beside: str = "", **more: bool) -> Countdown:
    return Countdown(label, NOW - used, NOW - used + limit, NOW, beside=beside, **more)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def page(name: str, role: str, current: str = "") -> dict:
    nav = [item | {"current": item["label"] == current} for item in NAV]
    return {"nav": nav, "person": {"name": name, "role": role, "site": "Utrecht"}, "site_zone": ZONE, "demo": SAID}


# --- the tablet -------------------------------------------------------------------------------------------------------


def params(viability: str = "82.4", volume: str = "") -> list[dict]:
    low = viability == "68.4"
    return [
        {"id": "vcd", "label": "Viable cell density", "url": "#", "kind": "number", "value": "1.12", "unit": "10^6/mL", "state": "ok",
         "limits": Limits(low=D("0.50"), high=D("2.50")), "recorded_at": datetime(2026, 11, 19, 13, 33, 50, tzinfo=UTC)},
        {"id": "via", "label": "Viability", "url": "#", "kind": "number", "value": viability, "unit": "%", "limits": VIABILITY,
         "state": "alarm" if low else "ok", "message": ""},
        {"id": "vol", "label": "Bag volume", "url": "#", "kind": "number", "value": volume, "unit": "mL", "limits": Limits(low=D("180"), high=D("220"))},
    ]


def step() -> dict:
    steps = [
        (12, "Record bag weight", "14:02 · M. Okafor", "done"), (13, "Take 1.0 mL sample", "14:20 · M. Okafor", "done"),
        (14, "Count cells, check viability", "Started 14:21", "now"), (15, "Calculate feed volume", "Automatic", "todo"),
        (16, "Scan and feed medium", "Two people", "todo"), (17, "Return bag to incubator", "Within 20 min", "todo"),
    ]
    return {
        "lot": LOT_STEP, "person": MAYA, "site_zone": ZONE, "demo": SAID, "operation": "Expansion, day 7",
        "facts": [{"k": "Patient identity", "v": "7K4-M2Q-91", "mono": True}, {"k": "Expansion, day 7", "v": "Suite 2 · BSC-03", "opt": True},
                  {"k": "Vein to vein", "v": "8 d 22 h of 18 d", "opt": "2"}],
        "steps": [{"number": n, "title": t, "sub": s, "state": st, "url": "#"} for n, t, s, st in steps],
        "countdown": count("Sample to count, limit 30 min", timedelta(minutes=12), timedelta(minutes=30), "since 14:20"),
        "slots": [
            {"id": "1", "what": "AOPI stain", "which": "L2261-04\nexp 28 Feb 2027", "state": "done"},
            {"id": "2", "what": "Counter NC-07", "which": "Calibrated to\n3 Mar 2027", "state": "done"},
            {"id": "3", "what": "Counting slide", "which": "Scan any unused slide", "state": "next", "code": "SLD-8841"},
        ],
        "params": params(), "active": params()[1], "page_title": "Step 14, CT-26-0147",
        "total": {"id": "tot", "label": "Total viable cells", "formula": "density × volume", "needs": "Needs bag volume"},
    }


def out_of_limit() -> dict:
    return step() | {
        "params": params("68.4"), "countdown": count("Sample to count, limit 30 min", timedelta(minutes=14), timedelta(minutes=30), "since 14:20"),
        "ways": [
            {"value": "correct", "label": "Correct the value", "consequence": "I read or typed it wrong. The first value stays in the audit trail."},
            {"value": "keep", "label": "Keep 68.4 % and go on", "consequence": "Opens exception EX-3, tells R. Bos (shift lead) now, QA decides before release.", "checked": True},
            {"value": "stop", "label": "Keep 68.4 % and stop the lot", "consequence": "Puts CT-26-0147 on hold and starts its hold clock."},
        ],
        "reasons": [{"value": str(n), "label": label, "checked": n == 0} for n, label in enumerate(("Recount agrees", "Clumps seen in chamber", "Instrument flag", "Other, write it below"))],
    }


def sign() -> dict:
    return step() | {
        "title": "Sign step 14 of", "caption": "You are both signing for exactly this", "action": "#",
        "rows": [
            {"label": "Viable cell density", "value": "1.12", "unit": "10^6/mL"},
            {"label": "Viability", "value": "68.4", "unit": "%", "state": "alarm", "word": "Below limit", "sub": "limits 70.0 to 100.0"},
            {"label": "Bag volume", "value": "204", "unit": "mL"}, {"label": "Total viable cells, calculated", "value": "2.28E+8"},
            {"label": "Reason for keeping 68.4 %", "value": "Recount agrees. Second slide 68.9 %."},
            {"label": "AOPI · slide · counter", "value": "L2261-04 · SLD-8841 · NC-07"}, {"label": "Sampled to counted", "value": "14 min 10 s of 30 min"},
        ],
        "recap_hint": "Exception EX-3 opens when the second person signs. Record version 5.",
        "done": [{"name": "Maya Okafor", "at": datetime(2026, 11, 19, 13, 36, 8, tzinfo=UTC), "meaning": "Performed: I did this step and recorded it as I did it."}],
        "meaning": "Verified: I watched this step and checked the values above.", "meaning_value": "verified", "who_fixed": "Jonas Lindqvist",
        "who_value": "jonas", "secret_label": "Signing PIN", "ok": "Sign", "foot": "Not Jonas? Scan another badge. The performer cannot also verify.",
        "back_url": "#", "params": params("68.4", "204"), "page_title": "Sign step 14, CT-26-0147",
    }


def locked() -> dict:
    kept = [{"label": "Viable cell density", "value": "1.12", "unit": "10^6/mL", "sub": "Maya Okafor, 14:33:50"},
            {"label": "Viability", "value": "82.4", "unit": "%", "sub": "Maya Okafor, 14:34:31"}]
    return step() | {"rows": kept, "locked_at": datetime(2026, 11, 19, 13, 41, tzinfo=UTC), "action": "#", "last_name": "Maya",
                     "clocks": [count("Sample to count", timedelta(minutes=21), timedelta(minutes=30))], "page_title": "Locked, CT-26-0147"}


# --- the board --------------------------------------------------------------------------------------------------------


def track(at: int, state: str = "now") -> dict:
    stages = [{"state": "done"}] * (at - 1) + [{"state": state}] + [{"state": ""}] * (11 - at)
    return {"stages": stages, "stages_words": f"Stage {at} of 11" + (", on hold" if state == "hold" else "")}


def board() -> dict:
    def row(check: str, number: str, centre: str, slot: str, at: int, stage: str, sub: str, vein: float, limit: Countdown | tuple[str, str],
            deviations: str, then: str, whom: str, state: str = "", **more: str) -> dict:
        shown = {"limit": limit} if isinstance(limit, Countdown) else {"limit_sub": limit[0], "limit_text": limit[1]}
        return {
            "lot": {"check": check, "number": number, "product": "NX-119", "url": "#"}, "centre": centre, "slot": slot, "stage": stage, "stage_sub": sub,
            "vein": count("", timedelta(days=vein), timedelta(days=18), "of 18 d", elapsed=True), "deviations": deviations, "next": then, "next_sub": whom, "state": state,
            **track(at, "hold" if state == "hold" else "now"), **shown, **more}

    rows = [
        row("2QF", "CT-26-0144", "UMC Utrecht", "24 Nov, 1 d spare", 6, "Harvest", "Step 9 of 16", 13.25, count("Wash to formulation, limit 2 h 00", hours(2.14), hours(2)),
            "1 major", "Decide: continue or hold", "Shift lead · Suite 3", "alarm", deviations_state="alarm"),
        row("7K4", "CT-26-0147", "Amsterdam UMC", "28 Nov, 3 d spare", 5, "Expansion", "Day 7 · step 14 of 22", 8.92, count("Sample to count, limit 30 min", hours(0.2), hours(0.5)),
            "1 new", "Viability below limit", "M. Okafor · Suite 2", "warn", deviations_state="warn"),
        row("9VX", "CT-26-0150", "Leiden UMC", "7 Dec, 4 d spare", 1, "Receipt", "Apheresis released", 1.71, count("Apheresis hold, limit 48 h", hours(41.33), hours(48)),
            "", "Start selection by 21:12", "Not assigned · Suite 1", "warn"),
        row("C8R", "CT-26-0139", "UMC Groningen", "22 Nov, 1 d spare", 10, "QA review", "5 of 7 exceptions reviewed", 17.13, count("Courier pickup 20 Nov 09:00", hours(47), hours(65.5)),
            "None open", "Release decision", "A. Brandt · QA", "warn"),
        row("H5T", "CT-26-0145", "Radboudumc", "26 Nov", 6, "Harvest", "Stopped at step 3 of 16", 12.05, Countdown("On hold since 18 Nov 16:05", ago(hours=22.45), None, NOW, held=True),
            "1 major", "Mycoplasma retest", "QC · L. Verhoef", "hold", late="2 d late"),
        row("W6N", "CT-26-0143", "Erasmus MC", "25 Nov, 2 d spare", 7, "Formulation", "Step 11 of 14", 14.08, count("DMSO to freezer, limit 1 h 30", hours(0.52), hours(1.5)),
            "", "Fill bag 2 of 2", "J. Lindqvist · Suite 3"),
        row("L2D", "CT-26-0149", "Maastricht UMC+", "5 Dec, 3 d spare", 4, "Transduction", "Day 2 · step 6 of 12", 3.84, count("Vector thaw to use, limit 2 h 00", hours(0.37), hours(2)),
            "", "Add vector, MOI 3.0", "P. Nandi · Suite 1"),
        row("E4M", "CT-26-0151", "UZ Leuven", "9 Dec, 5 d spare", 1, "Receipt", "In transit, arrives 16:40", 0.26, count("Apheresis hold, limit 48 h", hours(6.8), hours(48)), "", "Receive and inspect", "Warehouse"),
        row("B9G", "CT-26-0148", "UMC Utrecht", "3 Dec, 3 d spare", 3, "Activation", "Day 1 · step 4 of 6", 5.13, ("Next timed step", "20 Nov 10:00"), "", "Wait for day 2 count", "Suite 2"),
        row("T1Q", "CT-26-0146", "Amsterdam UMC", "30 Nov, 4 d spare", 5, "Expansion", "Day 5 · step 10 of 22", 7.88, ("Feed window opens", "16:00 today"), "1 minor", "Feed, 40 mL", "S. de Wit · Suite 2"),
        row("M7Y", "CT-26-0142", "Erasmus MC", "27 Nov, 2 d spare", 9, "QC", "9 of 13 results in", 14.3, count("Sterility culture, day 6 of 14", hours(144), hours(336)), "", "Endotoxin, VCN", "QC · R. Haddad"),
        row("F3Z", "CT-26-0140", "Leiden UMC", "26 Nov, 1 d spare", 9, "QC", "12 of 13 results in", 14.35, count("Sterility culture, day 7 of 14", hours(168), hours(336)), "1 minor", "Vector copy number", "QC · R. Haddad"),
    ]
    return {"wall": True, "demo": SAID, "site": {"name": "Utrecht"}, "now": NOW, "site_zone": ZONE, "rows": rows, "totals": {"all": 12, "alarm": 1, "warn": 3, "hold": 1, "calm": 7}, "page_title": "Utrecht floor"}


# --- the desk ---------------------------------------------------------------------------------------------------------

EXCEPTIONS = [
    {"number": 5, "title": "Wash to formulation held 2 h 08", "where": "Harvest · step 9 · 17 Nov 11:52", "severity": "Major", "state": "alarm", "current": True, "url": "#"},
    {"number": 7, "title": "Second person signed 41 min late", "where": "Freezing · step 6 · 17 Nov 16:30", "severity": "Minor", "state": "warn", "url": "#"},
]
REVIEWED = [
    {"number": number, "title": title, "where": where + " · A. Brandt", "severity": severity, "done": True, "url": "#"}
    for number, title, where, severity in (
        (1, "Apheresis label typed, not scanned", "Accepted, no impact", "Minor"), (2, "Viability 68.4 %", "Accepted with DEV-26-0309", "Major"),
        (3, "Entry made 3 h 10 after the event", "Accepted, no impact", "Minor"), (4, "Harvest volume corrected, 412 to 142 mL", "Accepted, no impact", "Minor"),
        (6, "Incubator CO₂ alarm, 6 min at 4.1 %", "Accepted, no impact", "Minor"))
]
SIGNATURES = [
    {"name": "P. Nandi", "meaning": "Production complete", "at": datetime(2026, 11, 18, 7, 12, 44, tzinfo=UTC)},
    {"name": "L. Verhoef", "meaning": "QC results approved", "at": datetime(2026, 11, 19, 8, 40, 2, tzinfo=UTC)},
    {"name": "QA reviewer", "meaning": "after exception 7", "open": True}, {"name": "Qualified Person", "meaning": "release decision", "open": True},
]
ENTRIES = [
    {"at": datetime(2026, 11, 17, 10, 52, 40, tzinfo=UTC), "event": "Step 9 signed", "what": "Verified", "who": "J. Lindqvist"},
    {"at": datetime(2026, 11, 17, 10, 51, 30, tzinfo=UTC), "event": "Reason given", "what": "EX-5", "who": "P. Nandi",
     "text": "Centrifuge C-02 imbalance stop; restarted after re-balancing. Cells kept at 2 to 8 °C."},
    {"at": datetime(2026, 11, 17, 10, 44, tzinfo=UTC), "event": "Limit passed", "what": "Wash to formulation", "who": "System", "text": "2 h 00 reached; P. Nandi and R. Bos told"},
    {"at": datetime(2026, 11, 17, 8, 58, 12, tzinfo=UTC), "event": "Changed", "what": "Wash 2 volume", "who": "P. Nandi", "old": "350 mL", "new": "305 mL",
     "why": "Transposed digits, read again from scale SC-11", "changed": True},
]


def line() -> dict:
    day = lambda number, hour=0: datetime(2026, 11, number, hour, tzinfo=UTC)  # noqa: E731 - a table reads better with it
    stages = [Stage("Receipt", day(2, 10), day(2, 18)), Stage("Selection", day(2, 18), day(3, 10)), Stage("Activation", day(3, 10), day(4, 14)),
              Stage("Transduction", day(4, 14), day(6, 12)), Stage("Expansion", day(6, 12), day(15, 8)), Stage("Harvest", day(15, 8), day(17, 12)),
              Stage("Freezing", day(17, 12), day(17, 16)), Stage("QC", day(17, 16), day(19, 10)), Stage("Review", day(19, 10), NOW)]
    marks = [Mark(1, day(2, 17)), Mark(2, day(9, 16), "triangle"), Mark(3, day(11, 13)), Mark(4, day(15, 6)), Mark(5, day(17, 11), "triangle", "alarm"), Mark(6, day(12, 8)), Mark(7, day(17, 15), "diamond", "warn")]
    return lay_out(stages, marks, NOW, day(20, 10), "18 d limit", "Lot timeline, 2 to 19 November, with seven exceptions marked")


def review() -> dict:
    return page("Anke Brandt", "QA reviewer", "Review") | {
        "lot": LOT_QA, "page_title": "Review CT-26-0139", "band_acts": "mes/web/shells/_release_acts.html",
        "facts": [{"k": "Patient identity", "v": "C8R-1ZL-77", "mono": True, "opt": True}, {"k": "Infusion slot", "v": "UMC Groningen, 22 Nov"}],
        "band_clock": count("Vein to vein, 21 h left", timedelta(days=17, hours=3), timedelta(days=18), "of 18 d", elapsed=True), "line": line(),
        "open": EXCEPTIONS, "reviewed": REVIEWED, "signatures": SIGNATURES, "entries": ENTRIES,
        "bar": {"words": "Hold of 2 hours 8 minutes against a limit of 2 hours", "used": "88.3", "limit": "88.3", "over": "5.9",
                "start_text": "09:44 bag W2 scanned", "limit_text": "limit 2 h 00 · 11:44", "over_text": "8 min over"},
        "checks": [("Values against limits", "412", "1 found"), ("Time limits", "38", "1 found"), ("Step order", "312", ""), ("Materials, expiry, scan", "164", "1 found"),
                   ("Equipment, calibration", "57", "1 found"), ("Signatures, roles, training", "402", "1 found"), ("Late or changed entries", "1204", "2 found"), ("Identity at hand-overs", "26", "")],
        "effects": [("Viability after wash", "91.2", "%", "usual 88 to 95"), ("Recovery", "84", "%", "usual 79 to 92"), ("Temperature", "3.1 to 5.6", "°C", "limit 2 to 8")],
        "around": [("9", "Wash to formulation timer", "09:44 to 11:52", "System", "alarm"), ("9", "C-02 stopped, imbalance, 21 min", "10:58", "C-02 log", ""),
                   ("9", "Bag W2 temperature 4.8 °C", "11:21", "Probe T-14", ""), ("10", "Resuspend in CS10, 68 mL", "11:58", "P. Nandi", "")],
        "decisions": [{"value": str(number), "label": label} for number, label in enumerate(("Accept", "Accept with deviation", "Ask production", "Blocks release"))],
    }


def release() -> dict:
    return review() | page("Ruben Maas", "Qualified Person", "Review") | {
        "page_title": "Release CT-26-0139", "band_acts": "", "action": "#", "subtitle": "NX-119 · patient C8R-1ZL-77 · UMC Groningen, 22 Nov · 2 bags, 68 mL",
        "lines": [{"text": "7 of 7 exceptions reviewed", "beside": "A. Brandt, 13:58"}, {"text": "12 of 13 results within specification", "beside": "sterility day 6 of 14", "state": "pending"},
                  {"text": "Impact of deviations 0309 and 0311 signed", "beside": "none open"}, {"text": "Identity confirmed at 26 of 26 hand-overs"},
                  {"text": "Labels reconciled, 6 of 6"}, {"text": "Audit trail reviewed", "beside": "A. Brandt, 13:58"}],
        "conditions": [{"title": "Sterility is not final.", "text": "Release now is conditional. Final reading 27 Nov; the treating physician is told the same day if it is positive."}],
        "choices": [{"value": "final", "label": "Release"}, {"value": "stage1", "label": "Release, sterility pending"}, {"value": "reject", "label": "Reject"}],
        "meaning": "I certify that this lot was made and tested under GMP and meets its marketing authorisation, with sterility to follow.",
        "signing_as": "Dr Ruben Maas, Qualified Person", "at": NOW, "record_text": "v218 · 9f3c 41ab", "ok": "Sign the decision", "back_url": "#",
        "foot_text": "Signing frees the lot for courier pickup 20 Nov 09:00 and locks the record.",
    }


def audit_trail() -> dict:
    return review() | {"page_title": "Audit trail CT-26-0139", "band_acts": "", "summary": "Newest first. Times in CET. 2316 events, sequence unbroken.",
                       "filters": [{"label": "Changes after save", "count": 9, "url": "#"}, {"label": "Around exception 5", "count": 31, "url": "#", "current": True},
                                   {"label": "Sign-offs", "count": 402, "url": "#"}, {"label": "All", "url": "#"}]}


def _result(test: str, method: str, specification: str, value: str, unit: str, source: str, who: str, **more: object) -> dict:
    return {"test": test, "method": method, "specification": specification, "value": value, "unit": unit, "source": source, "source_sub": who, "verdict_word": "Meets"} | more


def results() -> list[dict]:
    return [
        _result("Appearance", "QCM-001, visual", "Slightly turbid, no clumps", "Complies", "", "Two people", "R. Haddad 17 Nov"),
        _result("Viability", "QCM-012, AOPI", "≥ 80.0 %", "88.7", "%", "NC-07", "R. Haddad 17 Nov", limits=Limits(low=D("80.0"))),
        _result("CD3+ of viable CD45+", "QCM-021, flow", "≥ 90.0 %", "97.1", "%", "FC-03 file", "E. Smit 18 Nov", limits=Limits(low=D("90.0"))),
        _result("CAR+ of viable CD3+", "QCM-021, flow", "15.0 to 75.0 %", "52.8", "%", "FC-03 file", "E. Smit 18 Nov", limits=Limits(low=D("15.0"), high=D("75.0"), window_low=D(0), window_high=D(100))),
        _result("Vector copy number", "QCM-031, ddPCR", "≤ 5.0 per cell", "5.2", "per cell", "DP-01 file", "R. Haddad now", limits=Limits(high=D("5.0")), state="alarm", current=True,
                editable=True, field_id="vcn", post_url="#", verdict_word="Above limit", verdict_state="alarm"),
        _result("Dose, viable CAR+", "Calculated for 68 kg", "1.0 to 2.5 ×10^6/kg", "1.9", "10^6/kg", "System", "from 3 results", limits=Limits(low=D("1.0"), high=D("2.5"))),
        _result("Potency, IFN-gamma", "QCM-041, ELISA", "≥ 200 pg/mL", "1240", "pg/mL", "PR-02 file", "E. Smit 18 Nov", limits=Limits(low=D("200"), window_low=D(0), window_high=D(2400))),
        _result("Residual beads", "QCM-015, count", "≤ 100 per 3×10^6", "12", "per 3×10^6", "Typed twice", "R. Haddad 17 Nov", limits=Limits(high=D("100"))),
        _result("Residual B cells", "QCM-021, flow", "≤ 1.0 %", "0.1", "%", "FC-03 file", "E. Smit 18 Nov", limits=Limits(high=D("1.0")), qualifier="<"),
        _result("Endotoxin", "Ph. Eur. 2.6.14", "≤ 0.50 EU/mL", "0.05", "EU/mL", "EN-01 file", "E. Smit 17 Nov", limits=Limits(high=D("0.50")), qualifier="<"),
        _result("Mycoplasma", "Ph. Eur. 2.6.7, NAT", "Not detected", "Not detected", "", "PC-02 file", "L. Verhoef 18 Nov"),
        _result("Replication-competent virus", "QCM-033, qPCR", "Not detected", "Not detected", "", "PC-02 file", "L. Verhoef 18 Nov"),
        _result("Sterility", "Ph. Eur. 2.6.27", "No growth, 14 days", "No growth, day 7", "", "BacT 2", "due 26 Nov", verdict_word="7 d to go", verdict_state="pending"),
    ]


def qc() -> dict:
    return page("Rania Haddad", "QC analyst", "QC") | {
        "lot": {"check": "F3Z", "number": "CT-26-0140", "product": "NX-119, anti-CD19 CAR-T · final product"}, "rows": results(), "page_title": "Results CT-26-0140",
        "facts": [{"k": "Specification", "v": "SPEC-119-07 v4"}, {"k": "Sample", "v": "S-26-2291, received 17 Nov 08:50", "mono": True}, {"k": "Infusion slot", "v": "Leiden UMC, 26 Nov", "opt": True}],
        "side_label": "Vector copy number",
        "ways": [{"value": "transfer", "label": "A transfer error", "consequence": "The file says something else. Reason and second person needed."},
                 {"value": "oos", "label": "The result: out of specification", "consequence": "Opens OOS-26-0047 and tells QA. No retest until the laboratory check is done."}],
        "reps": [("Copies per cell", "5.12", "5.31", "5.20", "5.21"), ("Droplets", "17204", "16880", "17511", "min 10000")],
    }


def certificate() -> dict:
    rows = [{"test": row["test"], "method": row["method"].split(",")[0], "specification": row["specification"], "unit": row["unit"],
             "result": f"{row['qualifier']} {row['value']}" if row.get("qualifier") else row["value"], "verdict": "Meets"} for row in results()]
    rows[4]["result"] = "2.4"
    rows[-1] |= {"result": "No growth, day 6. Final 27 Nov", "verdict": "Pending", "pending": True}
    signed = [("Priya Nandi", "pnandi", "Operator", "Production complete", datetime(2026, 11, 18, 7, 12, 44, tzinfo=UTC)), ("Lotte Verhoef", "lverhoef", "QC reviewer", "QC results approved", datetime(2026, 11, 19, 8, 40, 2, tzinfo=UTC)),
              ("Anke Brandt", "abrandt", "QA reviewer", "Record and exceptions reviewed", datetime(2026, 11, 19, 12, 58, 31, tzinfo=UTC)), ("Dr Ruben Maas", "rmaas", "Qualified Person", "Released, stage 1", NOW)]
    return {
        "demo": SAID, "site_zone": ZONE, "org": "Sample Cell Therapy Centre", "org_line": "Manufacturing authorisation 000000 (sample)", "doc_title": "Certificate of release", "page_title": "Certificate CT-26-0139",
        "lead": "NX-119, autologous anti-CD19 CAR-T cells, dispersion for infusion", "stamp": "Stage 1: sterility pending", "theme": "light",
        "lot": LOT_QA | {"product": "NX-119", "coi": "C8R-1ZL-77"},
        "identity": [{"k": "Lot", "v": "CT-26-0139"}, {"k": "Patient identity", "v": "C8R-1ZL-77"}, {"k": "Donation", "v": "W0000 26 100139 00"}, {"k": "For", "v": "UMC Groningen, 22 Nov 2026"}],
        "facts": [{"k": k, "v": v} for k, v in (("Collected", "2 Nov 2026 11:20"), ("Frozen", "17 Nov 2026 16:12"), ("Use before", "17 May 2027 24:00 CEST"), ("Contents", "2 bags, 68 mL each"),
                  ("Store", "Below −150 °C"), ("Master record", "MBR-014 v3"), ("Specification", "SPEC-119-07 v4"), ("Collected to released", "17 d 03 h"))],
        "results": rows, "deviations_text": "Seven exceptions were reviewed. DEV-26-0309 (viability on day 7, 68.4 %) and DEV-26-0311 (hold after wash, 8 min over) are closed with no effect on the product. The full record lists all seven.",
        "decision_title": "Decision: released, sterility pending",
        "decision_text": "I certify that this lot was made and tested under GMP and meets its marketing authorisation, with sterility to follow. The treating physician is told the same day if the final reading is positive.",
        "signatures": [{"name": n, "user_name": u, "role": r, "meaning": m, "at": at} for n, u, r, m, at in signed],
        "foot_left": "Signed electronically, record v219, SHA-256 9f3c 41ab 77e0 5d12 … c04e", "foot_middle": "Scan the code to check this page.", "foot": "Record v219, SHA-256 9f3c 41ab 77e0 5d12 … c04e. Sample document.",
    }


def listing() -> dict:
    cell = lambda text, **more: {"text": text} | more  # noqa: E731 - a table reads better with it
    rows = [{"url": "#", "state": state, "cells": [cell(number, mono=True, sub="NX-119"), cell(stage), cell(via, number=True, unit="%"), cell("", word=word, state=state)]}
            for number, stage, via, word, state in (("CT-26-0144", "Harvest", "91.2", "8 min over", "alarm"), ("CT-26-0145", "Harvest", "88.4", "On hold", "hold"), ("CT-26-0146", "Expansion", "88.0", "On track", ""))]
    return page("Ines Duarte", "Process engineer", "Lots") | {"heading": "Lots", "lead": "3 lots in process at Utrecht", "caption": "Lots", "columns": [{"label": "Lot"}, {"label": "Stage"}, {"label": "Viability", "number": True}, {"label": "Status"}],
                                                             "rows": rows, "table_id": "lots", "page_title": "Lots", "pager": {"words": "1 to 3 of 40", "next_url": "#"}}


def chart() -> object:
    values = "44.1 46.3 41.0 39.8 45.2 47.7 43.9 42.6 30.4 30.1 33.0 31.2 29.9 31.7".split()
    series = [(f"CT-26-01{20 + n}", value, "warn" if n > 7 else "") for n, value in enumerate(values)]
    return draw("CAR+ of viable CD3+, sample site", series, "%", ("15", "75"), ("21.4", "61.5"), "41.4", [(8, "recipe v3, new medium")])


#: Every shell with the function that fills it.
SHELLS: dict[str, Callable[[], dict]] = {
    "operator-step": step, "operator-out-of-limit": out_of_limit, "operator-sign": sign, "operator-sign-page": sign, "operator-locked": locked, "floor-board": board, "qa-review": review,
    "qa-release": release, "qa-audit-trail": audit_trail, "qc-results": qc, "certificate": certificate, "list": listing,
}
TOKENS = "canvas surface raised field line line-strong track track-done allowed ink ink-2 action action-tint alarm-fill alarm-tint warn-fill warn-tint hold-fill hold-tint flash-ok".split()


def gallery() -> dict:
    """Context of the gallery page."""
    return page("Ines Duarte", "Process engineer") | {
        "page_title": "Components", "tokens": TOKENS, "shells": list(SHELLS), "lot": LOT_STEP, "facts": step()["facts"], "slots": [
            {"id": "g1", "what": "AOPI stain", "which": "L2261-04 · exp 28 Feb 2027"}, {"id": "g2", "what": "Counting slide", "which": "Scan any unused slide", "state": "next"},
            {"id": "g3", "what": "CS10, expired 31 Oct", "which": "Use L2240-02, cold room 2", "state": "alarm"}],
        "viability": VIABILITY, "volume": Limits(low=D("180"), high=D("220")), "p": params()[1] | {"id": "gvia"}, "c": {"id": "gtot", "label": "Total viable cells", "formula": "density × volume", "value": "2.28E+8"},
        "p_low": params("68.4")[1] | {"id": "glow", "message": "68.4 % is 1.6 below the lower limit of 70.0 %."},
        "clocks": [count("DMSO to freezer, limit 1 h 30", hours(0.51), hours(1.5), "since 14:01"), count("Apheresis hold, limit 48 h", hours(41.33), hours(48), "until 21:12"),
                   count("Wash to formulation, limit 2 h 00", hours(2.14), hours(2), "since 12:24"), Countdown("On hold since 18 Nov 16:05", ago(hours=22.5), None, NOW, held=True)],
        "now": NOW, "today": NOW.date(), "going": track(5), "stopped": track(6, "hold"), "signature": SIGNATURES[0] | {"name": "Priya Nandi", "user_name": "pnandi", "role": "operator"}, "unsigned": SIGNATURES[2],
        "ways": out_of_limit()["ways"], "entries": ENTRIES, "e": EXCEPTIONS[0] | {"current": False}, "e_done": REVIEWED[1], "line": line(), "bar": review()["bar"], "chart": chart(),
        "missing": [{"url": "#in-gvia", "text": "Enter the viability"}, {"url": "#slot-g2", "text": "Scan the counting slide"}], "lines": release()["lines"][:3] + [{"text": "1 deviation without signed impact", "state": "alarm", "beside": "DEV-26-0312"}],
        "pairs": [{"k": "Received", "v": "17 Nov 2026, 08:50 CET"}, {"k": "Amount", "v": "250", "unit": "mL"}, {"k": "Lot of the maker", "v": "L2261-04", "mono": True}],
        "stats": [{"label": "Lots in process", "value": "12"}, {"label": "Waiting for review", "value": "3"}, {"label": "Mean dose", "value": "1.9", "unit": "10^6/kg"}],
        "tabs": [{"label": "Overview", "url": "#", "current": True}, {"label": "Materials", "url": "#"}], "pager": {"words": "1 to 50 of 2316", "next_url": "#"},
        "table": {key: value for key, value in listing().items() if key in ("caption", "columns", "rows")}, "tiles": [{"label": "Review", "value": 3, "text": "lots wait for you", "url": "#"}],
    }
