"""The certificate as paper: what its template shows, made from the signed content and the signature alone, never from tables. REL-08."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string

from mes.web import qr
from mes.web.figures import number
from mes.web.pdf import Attached, render_paper
from quality.release.queries import code_of

TEMPLATE = "quality/release/certificate.pdf.html"
KEY_MEANINGS = ("reviewed_result", "assessed", "reviewed")
"""Whose last signatures stand on the first page beside production's and the certifier's."""
KEY_WORDS = {"reviewed_result": "QC results reviewed", "assessed": "Deviations assessed", "reviewed": "Record and exceptions reviewed"}


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature with the bytes it signed, as they are stored."""

    name: str
    username: str
    role: str
    meaning_text: str
    at: dt.datetime
    zone: str
    digest: str
    payload: bytes
    second_factor: str = "one-time code"
    """What stood beside user name and password, as the signature says."""


def certificate_pdf(signed: Signed) -> tuple[bytes, int]:
    """The PDF and how many audit entries its annex prints. The same signature gives the same bytes."""
    content = json.loads(signed.payload)["content"]
    html = render_to_string(TEMPLATE, context_of(content, signed, for_paper=True))
    data = Attached(f"{content['certificate']}.json", signed.payload, "The signed content", "Source")
    pdf = render_paper(html, title=f"{content['title']} {content['certificate']}", at=signed.at, attached=[data])
    return pdf, len(content["audit"]["lines"])


def context_of(content: dict, signed: Signed, *, for_paper: bool) -> dict:
    """What the certificate shows, on paper and on screen."""
    zone = content["site"]["time_zone"]
    code = code_of(content["site"]["code"], signed.digest)
    address = f"{settings.ORIGIN}/verify/{code}/"
    values = {each["name"]: each for each in content["product_values"]}
    return {
        "c": content,
        "site_zone": ZoneInfo(zone),
        "title": content["title"],
        "doc_title": content["certificate"],
        "org": content["site"]["name"],
        "org_line": f"Site {content['site']['code']}, jurisdiction {content['site']['jurisdiction']}",
        "lead": f"{content['product']['name']}, for the market {content['product']['market']}",
        "stamp": content["stamp"],
        "is_demo": content["demo"] == "yes",
        "lot": {"check": content["check_code"], "number": content["lot"], "product": content["product"]["name"].partition(",")[0], "coi": content["coi"]},
        "identity": [
            {"k": "Lot", "v": content["lot"]},
            {"k": "Chain of identity", "v": content["coi"]},
            {"k": "Donation" if len(content["donations"]) == 1 else "Donations", "v": ", ".join(content["donations"])},
            {"k": "For", "v": content["treatment_centre"]},
        ],
        "facts": _facts(content, values),
        "results": [_result(each) for each in content["results"]],
        "deviations": [each | {"impact_words": each["impact"].replace("_", " ") or "not assessed"} for each in content["deviations"]],
        "assessed": any(each["result"] == "assessed" for each in content["gate"]),
        "marks": sorted({each["mark"] for each in content["results"] if each["mark"]}),
        "sources": sorted({each["source"] for each in content["results"] if each["mark"] == "published" and each["source"]}),
        "decision_title": "Decision: certified for supply, results pending" if content["stage"] == "stage_1" else "Decision: certified",
        "decision_text": signed.meaning_text,
        "certifier": {
            "name": signed.name, "username": signed.username, "role": signed.role, "meaning": signed.meaning_text, "at": signed.at,
            "second_factor": signed.second_factor,
        },
        "signatures": _signatures(content, signed),
        "all_signatures": [each | {"moment": moment(each["at"])} for each in content["signatures"]],
        "groups": _groups(content["audit"]["lines"]) if for_paper else [],
        "entries": len(content["audit"]["lines"]),
        "digest": signed.digest,
        "digest_groups": " ".join(re.findall(".{8}", signed.digest)),
        "verify_code": code,
        "verify_url": address,
        "code": qr.svg(address, f"Code to check certificate {content['certificate']}", side=96),
        "foot": f"{content['certificate']}, record digest SHA-256 {signed.digest[:16]} … {signed.digest[-8:]}",
    }


def moment(text: str) -> dt.datetime | None:
    """A signed moment as a time; None where there is none."""
    return dt.datetime.fromisoformat(text) if text else None


def _facts(content: dict, values: dict[str, dict]) -> list[dict]:
    """The head of the certificate: times, dose, contents, storage, versions; what is not recorded is left out."""
    found = [
        {"k": "Collected", "at": moment(content["collected_at"])},
        {"k": "Manufacture started", "at": moment(content["started_at"])},
        {"k": "Use before", "at": moment(content["expires_at"])},
        {"k": "Store at", "v": content["storage"]},
    ]
    shown = ["Total CAR+ cells", "Dose per kg", *(["Body weight"] if "Dose per kg" in values else []), "Dose per bag", "Volume"]
    for name in shown:
        if name in values:
            found.append({"k": name, "value": number(values[name]["value"]), "unit": values[name]["unit"], "qualifier": values[name]["qualifier"]})
    bags = content["containers"]
    if "Bags" in values:
        found.append({"k": "Contents", "v": f"{values['Bags']['value']} {'bag' if values['Bags']['value'] == '1' else 'bags'}"})
    elif bags:
        found.append({"k": "Contents", "v": f"{len(bags)} {'bag' if len(bags) == 1 else 'bags'}"})
    if content["product"]["cohort"]:
        found.append({"k": "Dose cohort", "v": content["product"]["cohort"]})
    found += [
        {"k": "Master recipe", "v": f"{content['recipe']['code']}, version {content['recipe']['version']}"},
        {"k": "Specification", "v": f"{content['specification']['code']}, version {content['specification']['version']}"},
    ]
    return [each for each in found if each.get("v") or each.get("value") or each.get("at")]


def _result(row: dict) -> dict:
    """One line of the table of results."""
    pending = row["standing"] in {"pending_after_release", "missing"}
    due = moment(row["due"])
    shown = row["result"] or row["interim"] or "to come"
    rule, _, rounding = row["rule"].partition(", compared")
    return {
        "test": row["test"],
        "method": row["method"],
        "method_version": row["method_version"],
        "specification": rule,
        "rounding": f"compared{rounding}" if rounding else "",
        "denominator": row["denominator"],
        "result": number(shown),
        "unit": row["unit"] if row["result"] else "",
        "tested": moment(row.get("tested_at", "")),
        "note": row["mark"],
        "verdict": row["verdict"],
        "pending": pending,
        "due": due,
        "group": row["group"],
    }


def _signatures(content: dict, signed: Signed) -> list[dict]:
    """The signatures beside the certifier's on the first page: the last step's, the last of each judgement. The full list follows in the paper."""
    found = []
    made = [each for each in content["signatures"] if each["part"] == "making"]
    if made:
        found.append(_signature(made[-1], f"{made[-1]['meaning_text']} ({made[-1]['what']})"))
    for meaning in KEY_MEANINGS:
        these = [each for each in content["signatures"] if each["meaning"] == meaning]
        if these:
            found.append(_signature(these[-1], KEY_WORDS[meaning]))
    return found


def _signature(each: dict, meaning: str) -> dict:
    return {"name": each["name"], "user_name": each["username"], "role": each["role"], "meaning": meaning, "at": moment(each["at"])}


def _groups(lines: list[dict]) -> list[dict]:
    """The annex by step, each line with its time."""
    from batches.dossier.queries.annex import AFTER_STEPS, BEFORE_STEPS

    found: dict[str, list[dict]] = {BEFORE_STEPS: []}
    for line in lines:
        found.setdefault(line["group"], []).append(line | {"moment": moment(line["at"])})
    last = found.pop(AFTER_STEPS, [])
    return [{"title": title, "lines": _folded(these), "count": len(these)} for title, these in (*found.items(), (AFTER_STEPS, last)) if these]


def _folded(lines: list[dict]) -> list[dict]:
    """The lines, with those that tell one alert to several people set behind each other in one row: number, who was told how, and when, of each.

    A late lot alerts many people many times; nothing of it is left out, and the count of entries stays that of the stream.
    """
    rows: list[dict] = []
    for line in lines:
        told = _told(line)
        last = rows[-1] if rows else {}
        if told is not None and "told" in last and last["who"] == line["who"] and told["title"] in {"", last["title"]}:
            last["told"].append(told)
        elif told is not None and told["title"]:
            rows.append(line | {"title": told["title"], "told": [told]})
        else:
            rows.append(line)
    return [row | {"last": row["told"][-1]["seq"]} if len(row.get("told", ())) > 1 else row for row in rows]


def _told(line: dict) -> dict | None:
    """An entry that tells one person of an alert, or failed to: whom and how; None for any other entry."""
    if len(line["changes"]) != 1:
        return None
    (change,) = line["changes"]
    found = re.fullmatch(r"Alert (told to|not brought to) (.+)", change["what"])
    if found is None:
        return None
    reached = found[1] == "told to"
    whom = found[2] if reached else f"not {found[2]}: {change['new']}"
    return {"seq": line["seq"], "at": line["moment"], "whom": whom, "title": change["new"] if reached else ""}
