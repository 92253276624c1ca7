"""The signed checkpoints that the database keeps: each against the key of its site's log, where that was given.

Without the key they say what the database says, and nothing of them is vouched for: the report names them as not checked. A key that a
checkpoint announces is believed as far as the one that signed the announcement.
"""

from __future__ import annotations

import hashlib

from .database import Snapshot
from .ed25519 import is_signed
from .findings import Finding, Report
from .keys import Keys
from .notes import BadNote, read_key, signatures

KEPT = "SELECT s.code, c.size, c.note FROM mes_checkpoint c JOIN mes_site s ON s.id = c.site_id ORDER BY 1, 2"


def check(snapshot: Snapshot, report: Report, keys: Keys | None, *, anchored: bool = False) -> None:
    """Every checkpoint in the database. `anchored`: a folder of them was checked with keys from there, and what is not checked here needs no word."""
    known: dict[str, dict[bytes, bytes]] = {}
    if keys is not None:
        known = {name: {_id(name, key): key for key in several} for name, several in keys.by_name.items()}
    unknown = 0
    for code, size, note in snapshot.stream(KEPT, name="noted"):
        name = f"cartulary/{code}"
        mine = known.get(name, {})
        try:
            body, marks = signatures(note)
        except BadNote as error:
            report.findings.add(Finding("edit", f"checkpoint:{code}/{size}", f"checkpoint {size} cannot be read: {error}"))
            continue
        signed = [mark for signer, mark in marks if signer == name and mark[:4] in mine]
        if not signed:
            unknown += 1
        elif any(is_signed(mine[mark[:4]], body.encode(), mark[4:]) for mark in signed):
            _announced(name, body, mine)
        else:
            report.findings.add(Finding("edit", f"checkpoint:{code}/{size}", f"checkpoint {size} is not the one that {name} signed"))
    if unknown and not anchored:
        report.unchecked.append(f"the signatures of {unknown} checkpoint{'s' if unknown > 1 else ''} (--key)")


def _id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def _announced(name: str, body: str, mine: dict[bytes, bytes]) -> None:
    for line in body.splitlines():
        word, _, text = line.partition(" ")
        if word == "next-key":
            key = read_key(text)
            if key.name == name:
                mine[key.id] = key.public
