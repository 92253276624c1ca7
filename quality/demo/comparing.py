"""Whether a certificate says what was published, checked from the evidence alone: signed bytes, digests, the whole audit stream.

Nothing here asks the server. What is compared is the text that was signed, digit for digit.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from quality.demo.values import LotData

ENTRY, SIGNATURE = b"cartulary:entry:v1\x00", b"cartulary:signature:v1\x00"


@dataclass(frozen=True)
class Compared:
    """One published value beside the certificate's."""

    what: str
    published: str
    certified: str

    @property
    def equal(self) -> bool:
        return self.published == self.certified or (self.is_calculated and _same_number(self.published, self.certified))

    is_calculated: bool = False
    """A computed value may be written otherwise (1.495e9, 1495000000): it is compared as the exact number."""


def _same_number(one: str, other: str) -> bool:
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def certificate_in(evidence: dict, stage: str = "final") -> dict:
    """The signed content of the certificate of a stage. Raises KeyError when none was signed, ValueError when its bytes do not fit its digest."""
    found = [each for each in evidence["signatures"] if each["meaning"] == f"certified_{stage}"]
    if not found:
        raise KeyError(f"the evidence of {evidence['lot']} holds no certificate, {stage.replace('_', ' ')}")
    payload = base64.b64decode(found[-1]["payload"])
    if hashlib.sha256(SIGNATURE + payload).hexdigest() != found[-1]["digest"]:
        raise ValueError("the signed bytes of the certificate do not fit their digest")
    return json.loads(payload)["content"]


def compare(certificate: dict, data: LotData) -> list[Compared]:
    """Every published value of the lot beside what the certificate says."""
    results = {each["criterion"]: each for each in certificate["results"]}
    values = {each["key"]: each["value"] for each in certificate["product_values"]}
    found = [
        Compared(code, reported.value, results.get(code, {}).get("result", "(missing)"))
        for code, reported in data.results.items()
        if reported.evidence == "published"
    ]
    return found + [Compared(key, value, values.get(key, "(missing)"), True) for key, value in data.published.items()]


def unmarked(certificate: dict, data: LotData) -> list[str]:
    """Criteria whose made-up result the certificate does not mark: must be empty (decisions 29)."""
    marks = {each["criterion"]: each["mark"] for each in certificate["results"]}
    return [code for code, reported in data.results.items() if reported.evidence != "published" and not marks.get(code)]


def check_stream(evidence: dict) -> list[str]:
    """What is wrong with the audit stream in the evidence, entry by entry; empty when every link and digest fits."""
    wrong, before = [], "0" * 64
    for place, entry in enumerate(evidence["entries"], start=1):
        canon = bytes.fromhex(entry["canon"])
        if hashlib.sha256(ENTRY + canon).hexdigest() != entry["hash"]:
            wrong.append(f"entry {entry['seq']}: its bytes do not fit its hash")
        if json.loads(canon)["prev"] != before:
            wrong.append(f"entry {entry['seq']}: it does not follow the one before")
        if entry["seq"] != place:
            wrong.append(f"entry {entry['seq']}: entry {place} is missing")
        before = entry["hash"]
    if evidence["stream"]["entries"] != len(evidence["entries"]) or evidence["stream"]["head"] != before:
        wrong.append("the head of the stream is another one than that of its last entry")
    return wrong
