"""An evidence file checked by itself: no server, no network, no database, nothing but the standard library.

The order of the checks: container, manifest and its seal, keys, entries and links, column lists, rows against their digests, records as they
stand against their last version, attached files, signatures with their seals, the stream's head under a signed checkpoint, texts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

from . import covered, keys, zipped
from .canon import GENESIS, Unreadable, entry_hash, read_entry
from .evidence_rows import RowsOfFile
from .findings import CannotVerify, Finding, Report

FORMAT = "cartulary.evidence-file/1"
MANIFEST, SEAL = "manifest.json", "manifest.seal"
FIXED = ("README.txt", "keys.txt", "entries.jsonl", "schemas.jsonl", "rows.jsonl", "live.jsonl", "checkpoint.txt", "proof.json")
FILE = "evidence file"
"""The name under which breaks of the file itself are reported, beside those of the stream."""


def verify(path: str, key_file: str = "") -> Report:
    """Checks the evidence file at the path. Raises CannotVerify when there is no such file or the key file cannot be used."""
    began = time.monotonic()
    try:
        data = Path(path).read_bytes()
        given = keys.read(Path(key_file).read_text().splitlines()) if key_file else None
    except (OSError, ValueError) as error:
        raise CannotVerify(f"It cannot be read: {error}") from error
    if given is not None and not given.by_name:
        raise CannotVerify(f"There is no key in {key_file}.")
    report = Report(scope=f"evidence file {Path(path).name}", streams=1)
    EvidenceFile(data, given, report).check()
    report.seconds = time.monotonic() - began
    return report


class EvidenceFile:
    """One file and what is found in it."""

    def __init__(self, data: bytes, given: keys.Keys | None, report: Report):
        self.data, self.given, self.report = data, given, report
        self.members: dict[str, bytes] = {}
        self.manifest: dict = {}
        self.keys = keys.Keys()
        self.head = (0, GENESIS)

    def add(self, kind: str, sentence: str, **place) -> None:
        self.report.findings.add(Finding(kind, place.pop("stream", FILE), sentence, **place))

    def check(self) -> None:
        try:
            self.members = zipped.members(self.data)
        except zipped.Broken as error:
            self.add("edit", f"the container cannot be read: {error}")
            return
        place = zipped.first_difference(self.data, self.members)
        if place is not None:
            self.add("edit", f"the container is not what its members give, from byte {place} on")
        self._manifest()
        self._keys()
        stream = str(self.manifest.get("stream", ""))
        entries = list(self._entries(stream))
        sites = self.manifest.get("sites")
        rows = RowsOfFile(self.members, stream, entries, sites if isinstance(sites, dict) else {}, self.keys, self.report)
        rows.check()
        self._unnamed(rows.named)
        self._checkpoint(stream)
        self._texts(rows.signed)

    # --- the file itself ----------------------------------------------------------------------------------------------

    def _manifest(self) -> None:
        """Every member and its digest. The manifest is in canonical form, or it is not the one that was sealed."""
        raw = self.members.get(MANIFEST, b"")
        try:
            said = json.loads(raw)
            digests = said["members"]
            if json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() != raw or said["format"] != FORMAT:
                raise ValueError("it is not in the canonical form of this format")
            digests = {str(name): str(digest) for name, digest in digests.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.add("edit", f"{MANIFEST} cannot be read: {error}")
            return
        self.manifest = said
        for name in sorted({*digests, *FIXED} - set(self.members)):
            self.add("missing", f"its member {name} is not there")
        for name, content in self.members.items():
            if name in (MANIFEST, SEAL):
                continue
            if name not in digests:
                self.add("uncited", f"its member {name} is not in the manifest")
            elif hashlib.sha256(content).hexdigest() != digests[name]:
                self.add("edit", f"its member {name} is not the one that the manifest names")

    def _keys(self) -> None:
        try:
            own = keys.read(self.members.get("keys.txt", b"").decode().splitlines())
        except ValueError as error:
            self.add("edit", f"keys.txt: {error}")
            own = keys.Keys()
        self.keys = own if self.given is None else self.given
        if self.given is None:
            compare = f"Compare them with those the site gave you: {'; '.join(own.named())}"
            self.report.vouched = f"by the keys inside the file, which nobody else vouched for. {compare}"
        try:
            said = json.loads(self.members.get(SEAL, b""))
            signature = base64.b64decode(said["seal"], validate=True)
            name, message = f"cartulary/{self._site()}/seals", b"cartulary:evidence:v1\x00" + self.members.get(MANIFEST, b"")
            sealed = said["key_name"] == name and self.keys.signed(name, message, signature)
        except (ValueError, KeyError, TypeError, binascii.Error):
            sealed = False
        if not sealed:
            self.add("unsealed", f"{SEAL} is not the site's seal on {MANIFEST}")

    def _unnamed(self, named: set[str]) -> None:
        for name in self.members:
            if name.startswith("files/") and name not in named:
                self.add("uncited", f"its member {name} belongs to no row")

    # --- entries ------------------------------------------------------------------------------------------------------

    def _entries(self, stream: str) -> Iterator[dict]:
        """What each entry says, in order; a break of a link is named where it is."""
        before, at, last = GENESIS, "", 0
        for number, line in enumerate(self.members.get("entries.jsonl", b"").splitlines(), start=1):
            self.report.entries += 1
            try:
                kept = json.loads(line)
                raw, digest = kept["canon"].encode(), kept["hash"]
                said = read_entry(raw)
                seq, prev, when, rows = int(said["seq"]), said["prev"], said["at"], said["rows"]
                if not all(isinstance(row, list) and len(row) == 5 and all(isinstance(each, str) for each in row) and row[2].isdecimal() for row in rows):
                    raise Unreadable("what it cites cannot be read")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self.add("edit", f"the entry in line {number} of entries.jsonl cannot be read: {error}", stream=stream, seq=number)
                before, last = "", number
                continue
            if entry_hash(raw) != digest or kept.get("seq") != said["seq"]:
                self.add("edit", "its hash is not that of its bytes", stream=stream, seq=number)
            elif said["stream"] != stream:
                self.add("swap", f"it is an entry of {said['stream']}", stream=stream, seq=number)
            elif seq != last + 1:
                self.add("gap" if seq > last else "fork", f"it follows #{last}", stream=stream, seq=seq)
            elif before and prev != before:
                self.add("fork", f"it does not continue #{last} as that stands here", stream=stream, seq=seq)
            elif when < at:
                self.add("swap", "it is older than the entry before it", stream=stream, seq=seq)
            before, at, last = digest, when, seq
            yield said
        if (self.manifest.get("entries"), self.manifest.get("head")) != (str(last), before):
            ends = self.manifest.get("entries")
            self.add("truncation", f"the manifest ends at #{ends} with another hash than the entries, which end at #{last}", stream=stream)
        self.head = (last, before)

    # --- under the checkpoint -----------------------------------------------------------------------------------------

    def _checkpoint(self, stream: str) -> None:
        try:
            note = covered.read_note(self.members.get("checkpoint.txt", b""), f"cartulary/{self._site()}", self.keys)
            proven, seq, digest = covered.check(self.members.get("proof.json", b""), note)
        except covered.NotProven as error:
            self.add("rewrite", str(error))
            return
        if proven != stream or self._hash_at(seq) != digest:
            self.add("rewrite", f"checkpoint {note.size} holds another entry #{seq} of {proven}", stream=stream, seq=seq)
        elif seq < self.head[0]:
            self.report.notes.append(f"Entries #{seq + 1} to #{self.head[0]} are newer than checkpoint {note.size}; the seal of the file alone covers them.")

    def _site(self) -> str:
        site = self.manifest.get("site")
        return str(site.get("code", "")) if isinstance(site, dict) else ""

    def _hash_at(self, seq: int) -> str:
        lines = self.members.get("entries.jsonl", b"").splitlines()
        try:
            return str(json.loads(lines[seq - 1])["hash"]) if 0 < seq <= len(lines) else ""
        except (ValueError, KeyError, TypeError):
            return ""

    # --- texts --------------------------------------------------------------------------------------------------------

    def _texts(self, signed: list[dict]) -> None:
        """Recipe and specification as written must be those that were quoted when the steps were signed."""
        for name in ("recipe", "specification"):
            content, said = self.members.get(f"texts/{name}.yaml"), self.manifest.get(name)
            if content is None and said is None:
                continue
            digest = hashlib.sha256(content or b"").hexdigest()
            if not isinstance(said, dict) or digest != said.get("sha256"):
                self.add("edit", f"texts/{name}.yaml is not the version that the file names")
        recipe = hashlib.sha256(self.members.get("texts/recipe.yaml", b"")).hexdigest()
        quoted = {each["recipe_sha256"] for each in signed if isinstance(each.get("recipe_sha256"), str)}
        if quoted - {recipe}:
            self.add("edit", "texts/recipe.yaml is not the recipe that was signed by")
