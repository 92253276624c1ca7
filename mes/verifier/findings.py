"""What is wrong, in words: which stream, which row, which kind of break."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field

KINDS = {
    "edit": "a value is not what was sealed",
    "gap": "an entry is missing between two others",
    "swap": "an entry stands in another's place",
    "fork": "an entry does not continue the one before it",
    "truncation": "the end of a stream is missing",
    "uncited": "a row that no entry vouches for",
    "rewrite": "a chain holds in itself and is not the one that left the building",
    "missing": "something that an entry vouches for is not there",
    "excised": "a signature stands at another record than the one it was made of",
    "unsealed": "the site's key did not make this seal",
    "unproven": "the signer's passkey did not sign this content",
}

MOST_KEPT = 1000
ALL = "all intact"


class CannotVerify(Exception):
    """The check could not be made: a sentence for whoever runs it."""


@dataclass(frozen=True)
class Finding:
    """One break. `stream` is "" for a row that no entry cites."""

    kind: str
    stream: str
    sentence: str
    seq: int | None = None
    table: str = ""
    row_id: str = ""
    version: int | None = None
    now: str = ""
    """A digest of what stands in the broken place now, where something does: a further change there makes another finding."""

    def before(self, other: Finding) -> bool:
        """Whether it stands earlier in the stream; what has no place in it comes last."""
        return self.seq is not None and (other.seq is None or self.seq < other.seq)

    def __str__(self) -> str:
        where = self.stream or "(no stream)"
        place = f" #{self.seq}" if self.seq is not None else ""
        version = f" version {self.version}" if self.version is not None else ""
        row = f" {self.table} {self.row_id}{version}" if self.table else ""
        return f"{where}{place}: {self.kind}:{row} {self.sentence}"


@dataclass
class Findings:
    """Collects breaks in bounded memory: the first of each stream by name, of the rest so many, and their number."""

    first: dict[str, Finding] = field(default_factory=dict)
    kept: list[Finding] = field(default_factory=list)
    total: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        self.total += 1
        self.by_kind[finding.kind] = self.by_kind.get(finding.kind, 0) + 1
        first = self.first.get(finding.stream)
        if (first is None and len(self.first) < MOST_KEPT) or (first is not None and finding.before(first)):
            self.first[finding.stream] = finding
        if len(self.kept) < MOST_KEPT:
            self.kept.append(finding)

    def states(self) -> dict[str, str]:
        """Of each stream one digest over all that is broken in it, as it stands; "" for each when more was found than is kept, and cannot be told apart."""
        told: dict[str, list[dict]] = {stream: [] for stream in self.first}
        for finding in self.kept:
            told.setdefault(finding.stream, []).append(asdict(finding))
        if self.total > len(self.kept):
            return dict.fromkeys(told, "")
        # In an order of their own: the database need not find the same breaks in the same order twice.
        texts = {stream: sorted(json.dumps(each, sort_keys=True) for each in several) for stream, several in told.items()}
        return {stream: hashlib.sha256("\n".join(several).encode()).hexdigest() for stream, several in texts.items()}

    def take(self, others: Findings) -> None:
        """Those that another process found; what it only counted stays counted."""
        for finding in others.kept:
            self.add(finding)
        self.total += others.total - len(others.kept)
        for kind, number in others.by_kind.items():
            self.by_kind[kind] = self.by_kind.get(kind, 0) + number - sum(finding.kind == kind for finding in others.kept)


@dataclass
class Report:
    """The result of one run."""

    streams: int = 0
    entries: int = 0
    cited: int = 0
    rows: int = 0
    signatures: int = 0
    files: int = 0
    notes: list[str] = field(default_factory=list)
    """What whoever reads the result has to know: which keys were used, what was not covered."""
    unchecked: list[str] = field(default_factory=list)
    """What is there and could not be checked with what was given, each with the option that gives it: the verdict says it."""
    seconds: float = 0.0
    scope: str = "whole database"
    all_held: str = ALL
    """The last words of a report without a break: what the check that was made can say."""
    findings: Findings = field(default_factory=Findings)

    vouched: str = ""
    """By what the keys are believed, where nobody gave any: said in the verdict."""

    @property
    def intact(self) -> bool:
        """Whether nothing of what was checked is broken."""
        return self.findings.total == 0

    @property
    def complete(self) -> bool:
        """Whether everything that is there was checked, with keys that somebody gave."""
        return not self.unchecked and not self.vouched

    def sentence(self) -> str:
        """The last line, the verdict: "N streams, M entries, all intact", what is broken, or what nobody could check."""
        counted = f"{self.streams} streams, {self.entries} entries"
        if self.intact and self.unchecked:
            held = "intact" if self.all_held == ALL else self.all_held
            return f"{counted}, {held} as far as checked. NOT checked, for nothing was given to check with: {', '.join(self.unchecked)}"
        if self.intact:
            return f"{counted}, {self.all_held}{f' {self.vouched}' if self.vouched else ''}"
        named = len([stream for stream in self.findings.first if stream])
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(self.findings.by_kind.items()))
        return f"{counted}: BROKEN in {named} streams ({kinds})"

    def as_dict(self) -> dict:
        return {
            "intact": self.intact,
            "complete": self.complete,
            "unchecked": self.unchecked,
            "vouched": self.vouched,
            "scope": self.scope,
            "streams": self.streams,
            "entries": self.entries,
            "cited_rows": self.cited,
            "rows": self.rows,
            "signatures": self.signatures,
            "files": self.files,
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
            "broken": self.findings.total,
            "by_kind": self.findings.by_kind,
            "first_per_stream": [asdict(finding) for finding in self.findings.first.values()],
            "findings": [asdict(finding) for finding in self.findings.kept],
        }
