"""The signed checkpoints that the database keeps: each against the key of its site's log, where that was given.

Without the key they say what the database says, and nothing of them is vouched for: the report names them as not checked. A key that a
checkpoint announces is believed as far as the one that signed the announcement. Where keys of a site were given, a checkpoint signed by none
of them nor by an announced one is a break, and no thing that merely was not looked at: anybody has some key. Those alone that are
older than every checkpoint of the given keys may be of a key that was given up before.
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
    met: set[str] = set()
    strange: dict[str, list[int]] = {}
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
        if not signed and not mine:
            unknown += 1
            continue
        if not signed:
            strange.setdefault(code, []).append(int(size))
            continue
        if name not in met:
            met.add(name)
            unknown += len(strange.pop(code, []))
        if any(is_signed(mine[mark[:4]], body.encode(), mark[4:]) for mark in signed):
            _announced(name, body, mine)
        else:
            report.findings.add(Finding("edit", f"checkpoint:{code}/{size}", f"checkpoint {size} is not the one that {name} signed"))
    strange_keys(report, strange)
    if unknown and not anchored:
        report.unchecked.append(f"the signatures of {unknown} checkpoint{'s' if unknown > 1 else ''} (--key)")


def strange_keys(report: Report, strange: dict[str, list[int]]) -> None:
    """Names the checkpoints that somebody else signed, by the site's code."""
    for code, sizes in strange.items():
        for size in sizes:
            words = f"checkpoint {size} is signed by no key of cartulary/{code} that was given or announced"
            report.findings.add(Finding("unsealed", f"checkpoint:{code}/{size}", words))


def _id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def _announced(name: str, body: str, mine: dict[bytes, bytes]) -> None:
    for line in body.splitlines():
        word, _, text = line.partition(" ")
        if word == "next-key":
            key = read_key(text)
            if key.name == name:
                mine[key.id] = key.public
