"""Reading samples and results: the table of a lot against its specification, work lists, and what is signed."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from batches.execution.models import Entry
from batches.lots.models import Lot
from mes.errors import Missing
from mes.signatures import ceremony
from quality.samples.judging import FAILING, group_verdict, outdated, rule_now
from quality.samples.models import Result, ResultReview, Sample
from quality.samples.states import CLOSED
from quality.specifications import queries as specifications
from quality.specifications.document.result_sets import NOT_PUBLISHED
from quality.specifications.document.schema import Criterion
from quality.specifications.models import SpecificationVersion
from quality.specifications.verdicts import WORDS, Outcome, Verdict

REVIEW, SAMPLE_REVIEW, CORRECTION = "result.review/1", "sample.review/1", "result.correction/1"
MARKS = {"measured": "", "published": "published", "illustrative": NOT_PUBLISHED}
"""What stands beside a value by its evidence (decisions 29)."""


@dataclass(frozen=True)
class CriterionLine:
    """One criterion of the lot's specification with what is known about it now.

    `due` is when a result timed after release is expected (UTC; None while its sample is not drawn). `group` is the verdict of its
    any_of group. `recorded` is the batch record's value of the same quantity, shown beside, never judged here.
    """

    criterion: Criterion
    rule: str
    sample: Sample | None
    result: Result | None
    interims: tuple[Result, ...] = ()
    review: ResultReview | None = None
    due: dt.datetime | None = None
    group: Verdict | None = None
    recorded: str = ""
    earlier: tuple[Result, ...] = ()
    """Results that were corrected, oldest first; they stay visible (QC-03)."""
    outdated: str = ""
    """Why the verdict no longer stands on the batch record that counts now; "" while it does."""

    @property
    def verdict(self) -> str:
        """The stored outcome of the final result, or "pending"."""
        return self.result.verdict if self.result else Outcome.PENDING.value

    @property
    def word(self) -> str:
        return WORDS[Outcome(self.verdict)]

    @property
    def interim(self) -> Result | None:
        """The latest interim reading that counts."""
        return self.interims[-1] if self.interims else None

    @property
    def reviewed(self) -> bool:
        return self.review is not None

    @property
    def is_after_release(self) -> bool:
        return self.criterion.timing == "post_release"

    @property
    def is_pending_after_release(self) -> bool:
        """Whether only a result timed after release is missing: the one kind of gap that stage 1 allows."""
        return self.result is None and self.is_after_release

    @property
    def standing(self) -> str:
        """What the line is worth to a release decision: met, reported, pending_after_release, missing, failed, not_judged.

        Only "met" and "reported" are in order; an any_of group stands as one. A failing or missing interim reading that stage 1 wants
        reads "failed" or "missing".
        """
        if self.criterion.any_of is not None and self.group is not None:
            return self._standing_of(self.group.outcome)
        return self._standing_of(Outcome(self.verdict))

    def _standing_of(self, outcome: Outcome) -> str:
        if outcome in FAILING or any(each.verdict in FAILING for each in self.interims):
            return "failed"
        if outcome is Outcome.PENDING:
            if not self.is_pending_after_release:
                return "missing"
            wanted = self.criterion.interim is not None and self.criterion.interim.required
            return "missing" if wanted and not self.interims else "pending_after_release"
        return {Outcome.MEETS: "met", Outcome.REPORT_ONLY: "reported", Outcome.REDACTED: "not_judged"}.get(outcome, "missing")


@dataclass
class _Found:
    finals: dict[str, Result] = field(default_factory=dict)
    interims: dict[str, list[Result]] = field(default_factory=lambda: defaultdict(list))
    earlier: dict[str, list[Result]] = field(default_factory=lambda: defaultdict(list))


def _sorted_results(lot: Lot) -> _Found:
    found = _Found()
    results = Result.objects.filter(lot_id=lot.pk).select_related("by", "sample", "superseded_by", "review", "review__reviewer", "supersedes")
    for result in results.order_by("recorded_at", "id"):
        if hasattr(result, "superseded_by"):
            found.earlier[result.criterion].append(result)
        elif result.kind == "interim":
            found.interims[result.criterion].append(result)
        else:
            found.finals[result.criterion] = result
    return found


def table(lot: Lot, version: SpecificationVersion | None = None) -> list[CriterionLine]:
    """Every criterion of the lot's specification, in its order, with the results that count now. Used by QC, review, release and certificate.

    Raises Missing for a lot without specification.
    """
    version = version or specifications.of_lot(lot)
    document = specifications.document(version)
    found = _sorted_results(lot)
    samples = {sample.code: sample for sample in Sample.objects.filter(lot_id=lot.pk)}
    named = specifications.name_of(version)
    groups = {name: group_verdict(name, members, found.finals, named) for name, members in document.groups().items()}
    recorded = _recorded(lot, document.criteria)
    lines = []
    for criterion in document.criteria:
        sample, result = samples.get(criterion.sample or ""), found.finals.get(criterion.code)
        interims = sorted(found.interims[criterion.code], key=lambda each: (each.interim_day or 0, each.recorded_at))
        lines.append(
            CriterionLine(
                criterion, result.rule if result and result.rule else rule_now(lot, criterion), sample, result, tuple(interims),
                getattr(result, "review", None) if result else None, due_of(criterion, sample), groups.get(criterion.any_of or ""),
                recorded.get(criterion.recipe_parameter or "", ""), tuple(found.earlier[criterion.code]),
                outdated(lot, criterion, result, named) if result else "",
            )
        )  # fmt: skip
    return lines


def _recorded(lot: Lot, criteria: tuple[Criterion, ...]) -> dict[str, str]:
    keys = {each.recipe_parameter for each in criteria if each.recipe_parameter}
    entries = Entry.objects.filter(lot_id=lot.pk, parameter__in=keys, superseded_by=None).order_by("recorded_at")
    return {entry.parameter: f"{entry.value_text} {entry.unit}".strip() for entry in entries}


def due_of(criterion: Criterion, sample: Sample | None) -> dt.datetime | None:
    """When a result timed after release is expected: its days count from drawing. None before, and for every other result."""
    if criterion.due_days is None or sample is None or sample.drawn_at is None:
        return None
    return sample.drawn_at + dt.timedelta(days=criterion.due_days)


def summary(lot: Lot) -> list[dict]:
    """The table as plain text for certificate and batch record: what is signed there and printed."""
    version = specifications.of_lot(lot)
    return [_plain(line, specifications.name_of(version)) for line in table(lot, version)]


def _plain(line: CriterionLine, specification: str) -> dict:
    criterion, result = line.criterion, line.result
    shown = result or line.interim
    return {
        "criterion": criterion.code,
        "test": criterion.name,
        "method": criterion.method,
        "method_version": criterion.method_version,
        "specification": specification,
        "rule": line.rule,
        "denominator": criterion.denominator or "",
        "group": criterion.any_of or "",
        "sample": line.sample.identifier if line.sample else "",
        "result": as_read(result) if result else "",
        "unit": result.unit if result else (criterion.unit or ""),
        "compared": result.rounded if result else "",
        "verdict": line.word,
        "standing": line.standing,
        # A made-up interim reading is marked like a made-up result (decisions 29).
        "mark": MARKS[shown.evidence] if shown else "",
        "source": result.evidence_source if result else "",
        "due": line.due.isoformat() if line.due and result is None else "",
        "interim": interim_text(line.interim) if result is None else "",
        "tested_at": shown.tested_at.isoformat() if shown and shown.tested_at else "",
        "tested_by": result.by.full_name if result else "",
        "reviewed_by": line.review.reviewer.full_name if line.review else "",
    }


def as_read(result: Result) -> str:
    """A result as the record took it: a decimal comma is printed as the point with which it was read. As it was typed stands in the trail."""
    return result.value_text.replace(",", ".") if result.value is not None else result.value_text


def name_of(result: Result) -> str:
    """What the criterion of a result is called in the version by which it was judged; its code where that version has none of it."""
    found = (each.name for each in specifications.document(result.specification_version).criteria if each.code == result.criterion)
    return next(found, result.criterion)


def interim_text(interim: Result | None) -> str:
    """An interim reading as it is printed: "no growth, day 6"."""
    return f"{interim.value_text}, day {interim.interim_day}" if interim else ""


def pending_after_release(lot: Lot) -> list[CriterionLine]:
    """Results that are still to come after release, each with its due moment and interim reading (QC-07)."""
    return [line for line in table(lot) if line.is_pending_after_release]


# --- samples and work lists -------------------------------------------------------------------------------------------


def samples_of(lot: Lot) -> list[Sample]:
    """The samples of a lot in the order of its steps."""
    return list(Sample.objects.filter(lot_id=lot.pk).select_related("step_run").order_by("step_run__order", "code"))


def sample_by_identifier(identifier: str) -> Sample:
    """The sample with that identifier. Raises Missing."""
    found = Sample.objects.select_related("lot", "step_run").filter(identifier=identifier.strip()).first()
    if found is None:
        raise Missing("not_found", f"There is no sample {identifier} here. Scan its label, or look in the work list.")
    return found


def lot_by_number(number: str) -> Lot:
    """The lot with what the QC pages show of it. Raises Missing."""
    found = Lot.objects.select_related("therapy_event", "recipe_version__master", "site").filter(number=number).first()
    if found is None:
        raise Missing("not_found", f"There is no lot {number} here. Scan its label, or look in the list of lots.")
    return found


def work_list(site_id) -> list[Sample]:
    """Samples in QC's hands or on their way: drawn, received, or tested with results nobody reviewed yet. Oldest first.

    A lot that was rejected, ended or cancelled takes no results any more: of its samples only recorded results wait, for their review.
    """
    unreviewed = Result.objects.filter(superseded_by=None, review=None, sample__isnull=False).values("sample_id")
    waiting = Sample.objects.filter(site_id=site_id).select_related("lot", "step_run")
    in_hand = waiting.filter(state__in=["drawn", "received"]).exclude(lot__state__in=CLOSED)
    return list((in_hand | waiting.filter(pk__in=unreviewed)).distinct().order_by("drawn_at", "code"))


def what_is_left(samples: list[Sample]) -> dict:
    """By sample id: (tests without a final result, results nobody reviewed). One query for all of them."""
    done: dict = defaultdict(set)
    unseen: dict = defaultdict(int)
    rows = Result.objects.filter(sample__in=samples, superseded_by=None).values_list("sample_id", "criterion", "kind", "review")
    for sample_id, criterion, kind, review in rows:
        if kind == "final":
            done[sample_id].add(criterion)
        unseen[sample_id] += review is None
    return {sample.pk: (len(set(sample.tests) - done[sample.pk]), unseen[sample.pk]) for sample in samples}


def unreviewed(sample: Sample) -> list[Result]:
    """Results of a sample that count now and that no second person reviewed, in the order they were recorded."""
    return list(_whole().filter(sample=sample, superseded_by=None, review=None).order_by("recorded_at", "id"))


def result_by_id(result_id) -> Result:
    """One result with all that is signed of it. Raises Missing."""
    return _whole().one(pk=result_id)


def _whole():
    return Result.objects.select_related("lot__recipe_version__master", "sample__lot", "specification_version__specification", "by")


def testers_of(lot_id) -> set:
    """Everybody who recorded or corrected a result of the lot: none of them reviews it or releases the lot."""
    return set(Result.objects.filter(lot_id=lot_id).values_list("by_id", flat=True))


# --- what is signed ---------------------------------------------------------------------------------------------------


def content_of(result: Result) -> dict:
    """What a reviewer signs of one result. 21 CFR 211.194(a)."""
    return {
        "lot": result.lot.number,
        "sample": result.sample.identifier if result.sample_id else None,
        "criterion": result.criterion,
        "kind": result.kind,
        "interim_day": None if result.interim_day is None else str(result.interim_day),
        "value": result.value_text,
        "unit": result.unit,
        "method_version": result.method_version,
        "tested_at": result.tested_at.isoformat() if result.tested_at else None,
        "tested_by": result.by.full_name,
        "recorded_at": result.recorded_at.isoformat(),
        "evidence": result.evidence,
        "evidence_source": result.evidence_source,
        "specification": specifications.name_of(result.specification_version),
        "verdict": result.verdict,
        "compared": result.rounded,
        "rule": result.rule,
        "corrects": str(result.supersedes_id) if result.supersedes_id else None,
        "reason": result.reason,
    }


def review_subject(result: Result) -> ceremony.Subject:
    """What the review of one result signs."""
    return ceremony.subject(result, REVIEW, content_of(result))


def sample_review_subject(sample: Sample, results: list[Result]) -> ceremony.Subject:
    """What the review of a sample's results signs: each of them, in the order they were recorded."""
    content = {"lot": sample.lot.number, "sample": sample.identifier, "results": [content_of(each) for each in results]}
    return ceremony.subject(sample, SAMPLE_REVIEW, content)


def correction_subject(result: Result, *, text: str, unit: str, method_version: str, reason: str) -> ceremony.Subject:
    """What the second person of a correction signs: the result as it was, and what it becomes with the reason."""
    new = {"value": text.strip(), "unit": unit.strip(), "method_version": method_version.strip(), "reason": reason.strip()}
    return ceremony.subject(result, CORRECTION, {"was": content_of(result), "becomes": new})
