"""Deeds on samples and results: born, drawn, received, tested, corrected, reviewed. 21 CFR 211.160, 211.165, 211.194."""

from __future__ import annotations

import datetime as dt

from batches.execution.models import StepRun
from batches.lots.models import Lot
from batches.recipes.queries import document as recipe_document
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures.ceremony import Proof
from mes.signatures.services import sign
from quality.events import Event
from quality.permissions import Permission
from quality.samples import queries, rules
from quality.samples.judging import FAILING, NOT_TESTED_TEXT, Judged, group_verdict, judge, outdated
from quality.samples.models import Result, ResultReview, Sample
from quality.specifications import queries as specifications
from quality.specifications.document.schema import Criterion
from quality.specifications.models import SpecificationVersion
from quality.specifications.verdicts import Outcome, criterion_text

# --- samples ----------------------------------------------------------------------------------------------------------


@service(Event.SAMPLES_BORN)
def bear_samples(*, by: Actor, lot: Lot) -> list[Sample]:
    """Every sample the lot's recipe names, expected, each with its own identifier and the step at which it is drawn."""
    rules.check_can_bear_samples(by=by, lot=lot)
    runs: dict[str, list[StepRun]] = {}
    for run in StepRun.objects.filter(lot=lot).order_by("order"):
        runs.setdefault(run.step_key, []).append(run)
    born = []
    for planned in recipe_document(lot.recipe_version).samples:
        of_step = runs.get(planned.step, [])
        # A repeated step draws the sample on the day the recipe names.
        run = next((each for each in of_step if each.day == planned.day), of_step[0] if of_step else None)
        sample = Sample(
            site_id=lot.site_id, lot=lot, code=planned.code, title=planned.title, identifier=f"S-{lot.number}-{planned.code}", step_run=run,
            timing=planned.timing, tests=list(planned.tests),
        )  # fmt: skip
        sample.save()
        born.append(sample)
    return born


@service(Event.SAMPLE_DRAWN)
def draw_sample(*, by: Actor, sample_id, seen: int) -> Sample:
    """A person says a sample was drawn now; the days of results timed after release count from here."""
    sample = Sample.objects.lock(sample_id, seen=seen)
    rules.check_can_draw_sample(by=by, sample=sample)
    return _drawn(sample)


@service(Event.SAMPLE_DRAWN)
def draw_samples_of_step(*, by: Actor, step_run: StepRun) -> list[Sample]:
    """The samples of a signed sampling step that are still expected are drawn with it, in the signature's own transaction."""
    rules.check_can_draw_samples_of_step(by=by, step_run=step_run)
    return [_drawn(sample) for sample in Sample.objects.select_for_update(no_key=True, of=("self",)).filter(step_run=step_run, state="expected").order_by("pk")]


def _drawn(sample: Sample) -> Sample:
    sample.state, sample.drawn_at = "drawn", deed_now().at
    sample.save()
    return sample


@service(Event.SAMPLE_RECEIVED)
def receive_sample(*, by: Actor, sample_id, seen: int, scanned: str) -> Sample:
    """QC takes a sample over by scanning its label. Raises WrongScan("wrong_sample") for another one."""
    sample = Sample.objects.lock(sample_id, seen=seen)
    rules.check_can_receive_sample(by=by, sample=sample, scanned=scanned)
    sample.state, sample.received_at = "received", deed_now().at
    sample.save()
    return sample


@service(Event.SAMPLE_LOST)
def lose_sample(*, by: Actor, sample_id, seen: int, reason: str) -> Sample:
    """A sample that cannot be tested (broken, lost, or never drawn), with the reason. Its required tests stay missing and block release."""
    sample = Sample.objects.lock(sample_id, seen=seen)
    rules.check_can_lose_sample(by=by, sample=sample, reason=reason)
    sample.state, sample.state_reason = ("not_drawn" if sample.state == "expected" else "lost"), reason.strip()
    sample.save()
    return sample


# --- results ----------------------------------------------------------------------------------------------------------


@service(Event.RESULT_RECORDED)
def record_result(
    *, by: Actor, lot_id, criterion: str, text: str, unit: str = "", method_version: str = "", tested_at: dt.datetime | None = None, sample_id=None,
    kind: str = "final", interim_day: int | None = None, evidence: str = "measured", evidence_source: str = "",
) -> Result:  # fmt: skip
    """Record a result as reported and judge it against the specification version fixed for the lot (QC-01).

    `text` is the value as typed: a number with `unit` ("97.9", "<= 0.5" where the criterion takes a bound), or an answer. `tested_at` (UTC or
    with offset) is when the test was done; None: now. Without `sample_id` the criterion's own sample is taken. `kind` "interim" with
    `interim_day` is a dated reading of a test that still runs. Out of specification tells Event.RESULT_FAILED: the deviation is
    opened in this very transaction. Raises what rules.check_can_record_result raises, ValueRefused, RuleBroken("target_unknown").
    """
    lot, version, found = _open(lot_id, criterion)
    sample = _sample_for(lot, found, sample_id)
    now = deed_now().at
    tested_at = tested_at or now
    rules.check_can_record_result(
        by=by, lot=lot, criterion=found, sample=sample, kind=kind, interim_day=interim_day, evidence=evidence, evidence_source=evidence_source,
        tested_at=tested_at, now=now,
    )  # fmt: skip
    judged = judge(
        lot, found, specification=specifications.name_of(version), text=text, unit=unit, method_version=method_version, is_final=kind == "final"
    )
    result = _write(
        by, lot, sample, version, found, judged, method_version=method_version, tested_at=tested_at, kind=kind, interim_day=interim_day,
        evidence=evidence, evidence_source=evidence_source.strip(),
    )  # fmt: skip
    _after(lot, version, found, result)
    return result


@service(Event.RESULT_RECORDED)
def state_not_tested(*, by: Actor, lot_id, criterion: str, reason: str) -> Result:
    """Say why a test was not done: for one of several ways (any_of), or for what is only reported. It never meets anything."""
    lot, version, found = _open(lot_id, criterion)
    rules.check_can_state_not_tested(by=by, lot=lot, criterion=found, reason=reason)
    result = Result(
        site_id=lot.site_id, lot=lot, sample=_sample_for(lot, found, None), criterion=found.code, value_text=NOT_TESTED_TEXT, tested_at=deed_now().at,
        specification_version=version, verdict=Outcome.NOT_TESTED.value, rule=criterion_text(found), sentence=f"Not tested: {reason.strip()}",
        reason=reason.strip(),
    )  # fmt: skip
    result.save()
    _after(lot, version, found, result)
    return result


@service(Event.RESULT_CORRECTED)
def correct_result(*, by: Actor, result_id, text: str, reason: str, proof: Proof, unit: str = "", method_version: str = "") -> Result:
    """Correct a transcription: a new result that names the old one, compared with its source by a second person who signs (decisions 6).

    A repeated measurement is no correction. The deviation of a failing value stays; QA may close it as an entry error. The new result is judged
    by the same specification version and needs its own review.
    """
    old = queries.result_by_id(result_id)
    lot, version, found = _open(old.lot_id, old.criterion)
    rules.check_can_correct_result(by=by, result=old, text=text, reason=reason, signer=proof.user)
    judged = judge(
        lot, found, specification=specifications.name_of(version), text=text, unit=unit, method_version=method_version, is_final=old.kind == "final"
    )
    what = queries.correction_subject(old, text=text, unit=unit, method_version=method_version, reason=reason)
    sign(by=by, proof=proof, what=what, meaning="confirmed_transcription", stream=old.stream, lot_id=lot.pk, permission=Permission.REVIEW_RESULTS)
    result = _write(
        by, lot, old.sample, version, found, judged, method_version=method_version, tested_at=old.tested_at, kind=old.kind, interim_day=old.interim_day,
        evidence=old.evidence, evidence_source=old.evidence_source, supersedes=old, reason=reason.strip(),
    )  # fmt: skip
    _after(lot, version, found, result)
    return result


@service(Event.RESULT_JUDGED_ANEW)
def judge_anew(*, by: Actor, result_id, reason: str) -> Result:
    """Make the verdict anew of a result whose limit was computed from values of the batch record that were corrected since.

    The value stays as it was reported, so nothing is compared with a source; the new result names the old one and needs its own review. Raises
    RuleBroken: verdict_stands, corrected_before, target_unknown.
    """
    old = queries.result_by_id(result_id)
    lot, version, found = _open(old.lot_id, old.criterion)
    named = specifications.name_of(version)
    rules.check_can_judge_anew(by=by, result=old, why=outdated(lot, found, old, named), reason=reason)
    judged = judge(lot, found, specification=named, text=old.value_text, unit=old.unit, method_version=old.method_version, is_final=True)
    result = _write(
        by, lot, old.sample, version, found, judged, method_version=old.method_version, tested_at=old.tested_at, kind=old.kind,
        evidence=old.evidence, evidence_source=old.evidence_source, supersedes=old, reason=reason.strip(),
    )  # fmt: skip
    _after(lot, version, found, result)
    return result


@service(Event.RESULT_REVIEWED)
def review_result(*, by: Actor, result_id, proof: Proof, remark: str = "") -> ResultReview:
    """A second person reviews one result for accuracy and completeness and signs. 21 CFR 211.194(a)(8)."""
    result = queries.result_by_id(result_id)
    _alone(result.lot_id)
    rules.check_can_review_result(by=by, result=result, signer=proof.user)
    _sign_review(by, proof, queries.review_subject(result), result.lot_id)
    return _reviewed(result, proof, remark)


@service(Event.RESULT_REVIEWED)
def review_sample(*, by: Actor, sample_id, seen: int, proof: Proof, remark: str = "") -> list[ResultReview]:
    """A second person reviews every result of a sample that is not reviewed yet, each shown in what is signed, with one signature."""
    _alone(Sample.objects.one(pk=sample_id).lot_id)
    sample = Sample.objects.lock(sample_id, seen=seen)
    results = queries.unreviewed(sample)
    rules.check_can_review_sample(by=by, sample=sample, results=results, signer=proof.user)
    _sign_review(by, proof, queries.sample_review_subject(sample, results), sample.lot_id)
    return [_reviewed(result, proof, remark) for result in results]


def _sign_review(by: Actor, proof: Proof, what, lot_id) -> None:
    sign(by=by, proof=proof, what=what, meaning="reviewed_result", stream=f"lot:{lot_id}", lot_id=lot_id, permission=Permission.REVIEW_RESULTS)


def _reviewed(result: Result, proof: Proof, remark: str) -> ResultReview:
    review = ResultReview(site_id=result.site_id, lot_id=result.lot_id, result=result, reviewer=proof.user, remark=remark.strip())
    review.save()
    return review


# --- how they are written ---------------------------------------------------------------------------------------------


def _open(lot_id, code: str) -> tuple[Lot, SpecificationVersion, Criterion]:
    """The lot, locked to the end of the deed, the version that judges it, and the criterion.

    The lock keeps results and the certification apart: a result is either seen by the decision or judged as one that comes late.
    """
    lot = _alone(lot_id)
    version = specifications.of_lot(lot)
    return lot, version, rules.criterion_of(specifications.document(version), code)


def _alone(lot_id) -> Lot:
    return Lot.objects.select_related("recipe_version__master", "site").lock(lot_id)


def _sample_for(lot: Lot, criterion: Criterion, sample_id) -> Sample | None:
    if sample_id is not None:
        return Sample.objects.lock(sample_id)
    if criterion.sample is None:
        return None
    found = Sample.objects.filter(lot=lot, code=criterion.sample).first()
    return Sample.objects.lock(found.pk) if found else None


def _write(by: Actor, lot: Lot, sample: Sample | None, version: SpecificationVersion, criterion: Criterion, judged: Judged, **more) -> Result:
    quantity, verdict = judged.quantity, judged.verdict
    result = Result(
        site_id=lot.site_id, lot=lot, sample=sample, criterion=criterion.code, value_text=quantity.text, value=quantity.value, qualifier=quantity.qualifier,
        unit=(criterion.unit or "") if quantity.value is not None else "", specification_version=version, verdict=verdict.outcome.value,
        rounded=verdict.compared[:40], rule=verdict.rule, sentence=f"{criterion.name}: {verdict.sentence}", **more,
    )  # fmt: skip
    result.save()
    return result


def _after(lot: Lot, version: SpecificationVersion, criterion: Criterion, result: Result) -> None:
    """What follows a result in the same transaction: its sample may be tested through, and a failure is told."""
    if result.sample_id is not None:
        _close_sample(result.sample)
    failing = _failing(lot, version, criterion, result)
    if failing is not None:
        deed_now().tell(Event.RESULT_FAILED, failing)


def _close_sample(sample: Sample) -> None:
    done = set(Result.objects.filter(sample=sample, kind="final", superseded_by=None).values_list("criterion", flat=True))
    if sample.state == "received" and done >= set(sample.tests):
        sample.state = "tested"
        sample.save()


def _failing(lot: Lot, version: SpecificationVersion, criterion: Criterion, result: Result) -> Result | None:
    """The result that is out of specification now, or None. One of several ways (any_of) fails only when all of them are in and none is met."""
    if criterion.any_of is None or result.kind == "interim":
        return result if result.verdict in FAILING else None
    members = specifications.document(version).groups()[criterion.any_of]
    current = {
        each.criterion: each for each in Result.objects.filter(lot=lot, kind="final", superseded_by=None, criterion__in=[one.code for one in members])
    }
    if group_verdict(criterion.any_of, members, current, specifications.name_of(version)).outcome is not Outcome.DOES_NOT_MEET:
        return None
    return result if result.verdict in FAILING else next(each for each in current.values() if each.verdict in FAILING)
