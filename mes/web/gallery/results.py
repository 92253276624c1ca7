"""Sample data of QC results and the certificate."""

from datetime import UTC, datetime
from decimal import Decimal as D

from mes.web.gallery.sample import LOT_QA, NOW, SAID, ZONE, page
from mes.web.gauge import Limits


def _result(test: str, method: str, specification: str, value: str, unit: str, source: str, who: str, **more: object) -> dict:
    return {
        "test": test,
        "method": method,
        "specification": specification,
        "value": value,
        "unit": unit,
        "source": source,
        "source_sub": who,
        "verdict_word": "Meets",
    } | more


def results() -> list[dict]:
    return [
        _result("Appearance", "QCM-001, visual", "Slightly turbid, no clumps", "Complies", "", "Two people", "R. Haddad 17 Nov"),
        _result("Viability", "QCM-012, AOPI", "≥ 80.0 %", "88.7", "%", "NC-07", "R. Haddad 17 Nov", limits=Limits(low=D("80.0"))),
        _result("CD3+ of viable CD45+", "QCM-021, flow", "≥ 90.0 %", "97.1", "%", "FC-03 file", "E. Smit 18 Nov", limits=Limits(low=D("90.0"))),
        _result(
            "CAR+ of viable CD3+",
            "QCM-021, flow",
            "15.0 to 75.0 %",
            "52.8",
            "%",
            "FC-03 file",
            "E. Smit 18 Nov",
            limits=Limits(low=D("15.0"), high=D("75.0"), window_low=D(0), window_high=D(100)),
        ),
        _result(
            "Vector copy number",
            "QCM-031, ddPCR",
            "≤ 5.0 per cell",
            "5.2",
            "per cell",
            "DP-01 file",
            "R. Haddad now",
            limits=Limits(high=D("5.0")),
            state="alarm",
            current=True,
            editable=True,
            field_id="vcn",
            post_url="#",
            verdict_word="Above limit",
            verdict_state="alarm",
        ),
        _result(
            "Dose, viable CAR+",
            "Calculated for 68 kg",
            "1.0 to 2.5 ×10^6/kg",
            "1.9",
            "10^6/kg",
            "System",
            "from 3 results",
            limits=Limits(low=D("1.0"), high=D("2.5")),
        ),
        _result(
            "Potency, IFN-gamma",
            "QCM-041, ELISA",
            "≥ 200 pg/mL",
            "1240",
            "pg/mL",
            "PR-02 file",
            "E. Smit 18 Nov",
            limits=Limits(low=D("200"), window_low=D(0), window_high=D(2400)),
        ),
        _result("Residual beads", "QCM-015, count", "≤ 100 per 3×10^6", "12", "per 3×10^6", "Typed twice", "R. Haddad 17 Nov", limits=Limits(high=D("100"))),
        _result("Residual B cells", "QCM-021, flow", "≤ 1.0 %", "0.1", "%", "FC-03 file", "E. Smit 18 Nov", limits=Limits(high=D("1.0")), qualifier="<"),
        _result("Endotoxin", "Ph. Eur. 2.6.14", "≤ 0.50 EU/mL", "0.05", "EU/mL", "EN-01 file", "E. Smit 17 Nov", limits=Limits(high=D("0.50")), qualifier="<"),
        _result("Mycoplasma", "Ph. Eur. 2.6.7, NAT", "Not detected", "Not detected", "", "PC-02 file", "L. Verhoef 18 Nov"),
        _result("Replication-competent virus", "QCM-033, qPCR", "Not detected", "Not detected", "", "PC-02 file", "L. Verhoef 18 Nov"),
        _result(
            "Sterility",
            "Ph. Eur. 2.6.27",
            "No growth, 14 days",
            "No growth, day 7",
            "",
            "BacT 2",
            "due 26 Nov",
            verdict_word="7 d to go",
            verdict_state="pending",
        ),
    ]


def qc() -> dict:
    return page("Rania Haddad", "QC analyst", "QC") | {
        "lot": {"check": "F3Z", "number": "CT-26-0140", "product": "NX-119, anti-CD19 CAR-T · final product"},
        "rows": results(),
        "page_title": "Results CT-26-0140",
        "facts": [
            {"k": "Specification", "v": "SPEC-119-07 v4"},
            {"k": "Sample", "v": "S-26-2291, received 17 Nov 08:50", "mono": True},
            {"k": "Infusion slot", "v": "Leiden UMC, 26 Nov", "opt": True},
        ],
        "side_label": "Vector copy number",
        "ways": [
            {"value": "transfer", "label": "A transfer error", "consequence": "The file says something else. Reason and second person needed."},
            {
                "value": "oos",
                "label": "The result: out of specification",
                "consequence": "Opens OOS-26-0047 and tells QA. No retest until the laboratory check is done.",
            },
        ],
        "reps": [("Copies per cell", "5.12", "5.31", "5.20", "5.21"), ("Droplets", "17204", "16880", "17511", "min 10000")],
    }


def certificate() -> dict:
    rows = [
        {
            "test": row["test"],
            "method": row["method"].split(",")[0],
            "specification": row["specification"],
            "unit": row["unit"],
            "result": f"{row['qualifier']} {row['value']}" if row.get("qualifier") else row["value"],
            "verdict": "Meets",
        }
        for row in results()
    ]
    rows[4]["result"] = "2.4"
    rows[-1] |= {"result": "No growth, day 6. Final 27 Nov", "verdict": "Pending", "pending": True}
    signed = [
        ("Priya Nandi", "pnandi", "Operator", "Production complete", datetime(2026, 11, 18, 7, 12, 44, tzinfo=UTC)),
        ("Lotte Verhoef", "lverhoef", "QC reviewer", "QC results approved", datetime(2026, 11, 19, 8, 40, 2, tzinfo=UTC)),
        ("Anke Brandt", "abrandt", "QA reviewer", "Record and exceptions reviewed", datetime(2026, 11, 19, 12, 58, 31, tzinfo=UTC)),
        ("Dr Ruben Maas", "rmaas", "Qualified Person", "Released, stage 1", NOW),
    ]
    return {
        "demo": SAID,
        "site_zone": ZONE,
        "org": "Sample Cell Therapy Centre",
        "org_line": "Manufacturing authorisation 000000 (sample)",
        "doc_title": "Certificate of release",
        "page_title": "Certificate CT-26-0139",
        "lead": "NX-119, autologous anti-CD19 CAR-T cells, dispersion for infusion",
        "stamp": "Stage 1: sterility pending",
        "theme": "light",
        "lot": LOT_QA | {"product": "NX-119", "coi": "C8R-1ZL-77"},
        "identity": [
            {"k": "Lot", "v": "CT-26-0139"},
            {"k": "Patient identity", "v": "C8R-1ZL-77"},
            {"k": "Donation", "v": "W0000 26 100139 00"},
            {"k": "For", "v": "UMC Groningen, 22 Nov 2026"},
        ],
        "facts": [
            {"k": k, "v": v}
            for k, v in (
                ("Collected", "2 Nov 2026 11:20"),
                ("Frozen", "17 Nov 2026 16:12"),
                ("Use before", "17 May 2027 24:00 CEST"),
                ("Contents", "2 bags, 68 mL each"),
                ("Store", "Below −150 °C"),
                ("Master record", "MBR-014 v3"),
                ("Specification", "SPEC-119-07 v4"),
                ("Collected to released", "17 d 03 h"),
            )
        ],
        "results": rows,
        "deviations_text": "Seven exceptions were reviewed. DEV-26-0309 (viability on day 7, 68.4 %) and DEV-26-0311 (hold after wash, 8 min over) "
        "are closed with no effect on the product. The full record lists all seven.",
        "decision_title": "Decision: released, sterility pending",
        "decision_text": "I certify that this lot was made and tested under GMP and meets its marketing authorisation, with sterility to follow. "
        "The treating physician is told the same day if the final reading is positive.",
        "signatures": [{"name": n, "user_name": u, "role": r, "meaning": m, "at": at} for n, u, r, m, at in signed],
        "foot_left": "Signed electronically, record v219, SHA-256 9f3c 41ab 77e0 5d12 … c04e",
        "foot_middle": "Scan the code to check this page.",
        "foot": "Record v219, SHA-256 9f3c 41ab 77e0 5d12 … c04e. Sample document.",
    }
