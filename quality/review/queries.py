"""The review of a lot: its exceptions, how they add up with the rest of the trail, what was decided, whether it still stands."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from batches.dossier import queries as dossier
from batches.dossier.queries import SignatureCheck, TrailEntry
from batches.execution.queries.runs import recipe_of, runs_of
from batches.lots.models import Lot
from batches.recipes.document.schema import Recipe
from mes.audit.chain import instant
from mes.errors import Missing
from mes.signatures import ceremony
from quality.review.findings import Finding, Ground, find
from quality.review.kinds import RISKS, RULES_VERSION, is_quiet, significance
from quality.review.models import Disposition, Review

SCHEMA = "review/1"

DECISIONS = {
    "justified": "Justified",
    "needs_deviation": "Needs a deviation",
    "needs_correction": "Needs a correction",
    "escalate": "Escalate",
}
"""What a reviewer can decide about an exception. The last two keep the review open until they are decided anew."""
SETTLED = frozenset({"justified", "needs_deviation"})


@dataclass(frozen=True)
class ExceptionLine:
    """One exception with its place, the audit entries it stands on, and the decision that counts."""

    number: int
    finding: Finding
    step_key: str
    step_title: str
    order: int
    seqs: tuple[int, ...]
    disposition: Disposition | None
    opened: object | None = None
    """The deviation opened with the decision, where the exception had none."""

    @property
    def key(self) -> str:
        return self.finding.key

    @property
    def is_decided(self) -> bool:
        return self.disposition is not None

    @property
    def is_settled(self) -> bool:
        """Whether nothing about it keeps the review from being signed."""
        return self.disposition is not None and self.disposition.decision in SETTLED

    @property
    def decision_words(self) -> str:
        return DECISIONS[self.disposition.decision] if self.disposition else ""

    @property
    def deviation(self):
        return self.finding.deviation or self.opened

    @property
    def where(self) -> str:
        return f"Step {self.step_key}, {self.step_title}" if self.step_key else "The lot as a whole"


@dataclass
class Picture:
    """Everything a review shows, read once."""

    lot: Lot
    recipe: Recipe
    review: Review | None
    entries: list[TrailEntry]
    lines: list[ExceptionLine]
    signatures: SignatureCheck

    @property
    def total(self) -> int:
        return len(self.entries)

    @cached_property
    def significant(self) -> set[int]:
        """Sequence numbers of the significant entries."""
        return {seq for line in self.lines for seq in line.seqs}

    @property
    def informational(self) -> int:
        return self.total - len(self.significant)

    @property
    def to_decide(self) -> list[ExceptionLine]:
        return [line for line in self.lines if not line.is_settled]

    @cached_property
    def last_loud(self) -> int:
        """The sequence number of the last entry that says something about how the lot was made or tested; 0 when there is none."""
        return next((entry.seq for entry in reversed(self.entries) if not is_quiet(entry.events)), 0)

    @property
    def newer(self) -> list[TrailEntry]:
        """Entries after those that the signed review covers and that open it again (AUD-11)."""
        if self.review is None or self.review.reviewed_by_id is None:
            return []
        return [entry for entry in self.entries if entry.seq > self.review.entries_covered and not is_quiet(entry.events)]

    @property
    def is_current(self) -> bool:
        """Whether the review is signed and nothing came after it."""
        return self.review is not None and self.review.state == "reviewed" and not self.newer and not self.to_decide

    @property
    def sum_words(self) -> str:
        """The counts, reconciled: "4,212 entries = 4,187 informational + 25 significant"."""
        return f"{self.total:,} entries = {self.informational:,} informational + {len(self.significant):,} significant"

    def line(self, key: str) -> ExceptionLine:
        """The exception with that key. Raises Missing."""
        found = next((line for line in self.lines if line.key == key), None)
        if found is None:
            raise Missing("no_such_exception", f"Lot {self.lot.number} has no exception {key}. Open the review again: it may have been answered.")
        return found

    def informational_entries(self) -> list[TrailEntry]:
        return [entry for entry in self.entries if entry.seq not in self.significant]


def picture(lot: Lot, upto: int | None = None) -> Picture:
    """The review of a lot as it stands now, or its exceptions as of a sequence number of the lot's stream."""
    recipe, runs = recipe_of(lot), runs_of(lot)
    entries = dossier.trail(lot.pk, upto)
    signatures = dossier.check_signatures(lot, entries)
    ground = Ground.of(lot, recipe, runs, signatures, entries)
    review = Review.objects.filter(lot=lot).select_related("reviewed_by").first()
    cited: dict[tuple[str, uuid.UUID], list[int]] = defaultdict(list)
    for entry in entries:
        for row in entry.rows:
            cited[row.table, row.row_id].append(entry.seq)
    decided = decisions_of(lot)
    findings = [each for each in find(ground) if not _opened_by_a_decision(each, cited, decided)]
    claimed = {seq for each in findings for seq in _seqs(each, cited)}
    findings += [found for entry in entries if entry.seq not in claimed and (found := _unclaimed(entry, ground)) is not None]
    findings.sort(key=lambda each: (each.at, each.key))
    by_seq = {entry.id: entry.seq for entry in entries}
    lines = []
    for number, each in enumerate(findings, start=1):
        run = ground.runs.get(each.run_id)
        seqs = tuple(_seqs(each, cited)) or ((by_seq[uuid.UUID(each.key[6:])],) if each.key.startswith("entry:") else ())
        disposition = decided.get(each.key)
        opened = _opened_with(disposition, ground, cited)
        lines.append(
            ExceptionLine(
                number, each, run.key if run else "", recipe.step(run.step_key).title if run else "", run.order if run else 0, seqs, disposition, opened
            )
        )
    return Picture(lot, recipe, review, entries, lines, signatures)


def exceptions(lot: Lot) -> list[ExceptionLine]:
    """The exceptions of a lot: grouped by step, the step with the worst one first, the worst first in each."""
    return sorted_by_risk(picture(lot).lines)


def sorted_by_risk(lines: list[ExceptionLine]) -> list[ExceptionLine]:
    """Grouped by step, sorted by risk: groups by their worst exception, then in the order of the steps."""
    worst: dict[str, int] = {}
    for line in lines:
        worst[line.step_key] = min(worst.get(line.step_key, len(RISKS)), _rank(line))
    return sorted(lines, key=lambda line: (worst[line.step_key], line.order, _rank(line), line.number))


def _rank(line: ExceptionLine) -> int:
    return RISKS.index(line.finding.risk) if line.finding.risk in RISKS else 0


def _seqs(finding: Finding, cited) -> list[int]:
    return sorted({seq for row in finding.rows for seq in cited.get(row, ())})


def _unclaimed(entry: TrailEntry, ground: Ground) -> Finding | None:
    """A significant entry that no finder speaks for: it gets a line of its own, so that the sum always holds."""
    kind = significance(entry.events)
    if kind is None:
        return None
    run_id = next((row.row_id for row in entry.rows if row.table == "batches_steprun"), None)
    facts = (("Kind of entry", ", ".join(entry.events) or "none"),)
    return Finding(
        f"entry:{entry.id}",
        "entry",
        kind.risk,
        kind.words,
        entry.at,
        entry.name,
        run_id if run_id in ground.runs else None,
        (),
        reason=entry.reason,
        facts=facts,
    )


def decisions_of(lot: Lot) -> dict[str, Disposition]:
    """The decision that counts for each exception: the latest."""
    found = Disposition.objects.filter(lot=lot).select_related("by").order_by("recorded_at", "id")
    return {each.exception: each for each in found}


def _opened_by_a_decision(finding: Finding, cited, decided: dict[str, Disposition]) -> bool:
    """A deviation that a reviewer opened by a decision is the answer, not a new question."""
    if not finding.key.startswith("deviation:"):
        return False
    seqs = _seqs(finding, cited)
    return bool(seqs) and any(seqs[0] in cited.get(("quality_disposition", each.pk), ()) for each in decided.values())


def _opened_with(disposition: Disposition | None, ground: Ground, cited):
    if disposition is None:
        return None
    seqs = cited.get(("quality_disposition", disposition.pk), ())
    return next((each for each in ground.by_hand if set(cited.get(("quality_deviation", each.pk), ())[:1]) & set(seqs)), None)


# --- what the machine checked -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    """One thing the machine looked at: how many, and how many exceptions it found."""

    name: str
    looked_at: int
    found: int

    @property
    def found_words(self) -> str:
        return f"{self.found} found" if self.found else "none"


def checks(shown: Picture) -> list[Check]:
    """What was checked so that the rest can be called clean."""
    tables: dict[str, int] = defaultdict(int)
    for entry in shown.entries:
        for row in entry.rows:
            tables[row.table] += row.version == 1
    kinds: dict[str, int] = defaultdict(int)
    limits_of_time = 0
    for line in shown.lines:
        kinds[line.finding.kind] += 1
        limits_of_time += line.finding.kind == "limit" and line.finding.entry_id is None
    return [
        Check("Values against limits", tables["batches_entry"], kinds["limit"] - limits_of_time + kinds["alert"]),
        Check("Time limits", len(shown.recipe.time_limits), limits_of_time),
        Check("Steps, order and completeness", tables["batches_steprun"], kinds["entry"]),
        Check("Input that was not taken", tables["batches_entryattempt"], kinds["attempt"]),
        Check("Scans of containers, materials, equipment", tables["batches_scanevent"] + tables["batches_consumption"], kinds["identity"]),
        Check("Hand-overs and their temperatures", tables["batches_handover"], kinds["transport"]),
        Check("Labels", tables["batches_label"], kinds["label"]),
        Check("Results against specification", tables["quality_result"], kinds["result"]),
        Check("Signatures still cover their content", len(shown.signatures.signatures), kinds["signature"]),
        Check("Late or changed entries", shown.total, kinds["late"] + kinds["change"]),
        Check("Holds and alarms", tables["batches_hold"] + tables["quality_alert"], kinds["hold"] + kinds["alarm"]),
    ]


# --- what is signed ---------------------------------------------------------------------------------------------------


def content_of(shown: Picture) -> dict:
    """What the reviewer signs: every exception with its decision, the sum, the rules' version, and where the trail stood."""
    lot, seq = shown.lot, shown.last_loud
    return {
        "lot": lot.number,
        "check_code": lot.check_code,
        "coi": lot.therapy_event.coi,
        "product": lot.product,
        "rules": RULES_VERSION,
        "trail": {
            "stream": dossier.stream_of(lot.pk),
            "covered": str(seq),
            "hash": dossier.hash_at(lot.pk, seq),
            "informational": str(sum(entry.seq <= seq and entry.seq not in shown.significant for entry in shown.entries)),
            "significant": str(sum(each <= seq for each in shown.significant)),
        },
        "exceptions": [_plain(line) for line in shown.lines],
        "checks": [{"check": each.name, "looked_at": str(each.looked_at), "found": str(each.found)} for each in checks_at(shown, seq)],
    }


def checks_at(shown: Picture, seq: int) -> list[Check]:
    """The checks over the entries up to a sequence number, so that what is signed does not move with a delivered mail."""
    entries = [entry for entry in shown.entries if entry.seq <= seq]
    return checks(Picture(shown.lot, shown.recipe, shown.review, entries, shown.lines, shown.signatures))


def _plain(line: ExceptionLine) -> dict:
    finding, made = line.finding, line.disposition
    return {
        "number": str(line.number),
        "exception": finding.key,
        "title": finding.title,
        "where": line.where,
        "risk": finding.risk,
        "at": instant(finding.at),
        "by": finding.who,
        "old": finding.old,
        "new": finding.new,
        "reason": finding.reason,
        "deviation": line.deviation.number if line.deviation else "",
        "decision": line.decision_words,
        "comment": made.comment if made else "",
        "decided_by": made.by.full_name if made else "",
        "decided_at": instant(made.recorded_at) if made else "",
    }


def subject_of(shown: Picture) -> ceremony.Subject:
    """What finishing the review signs. Raises Missing while no review was opened."""
    if shown.review is None:
        raise Missing("review_not_open", f"The review of lot {shown.lot.number} is not open yet. Decide about its first exception, or open it.")
    return ceremony.subject(shown.review, SCHEMA, content_of(shown))


def neighbours(shown: Picture, line: ExceptionLine, around: int = 3) -> list[TrailEntry]:
    """The audit entries around an exception, in their order."""
    if not line.seqs:
        return []
    first, last = line.seqs[0] - around, line.seqs[0] + around
    return [entry for entry in shown.entries if first <= entry.seq <= last]


def reviewable_lots(site_id) -> list[dict]:
    """Lots that wait for a review or are being made, those in review first, with how far the review is. For the list page."""
    order = {"in_review": 0, "manufactured": 1, "certified_stage_1": 2, "in_execution": 3}
    lots = Lot.objects.filter(site_id=site_id, state__in=order).select_related("therapy_event", "recipe_version__master")
    reviews = {each.lot_id: each for each in Review.objects.filter(lot__in=lots).select_related("reviewed_by")}
    rows = [{"lot": lot, "review": reviews.get(lot.pk)} for lot in lots]
    return sorted(rows, key=lambda row: (order[row["lot"].state], row["lot"].recorded_at))
