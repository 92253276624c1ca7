"""When a sample may be drawn, received and tested, and a result recorded, corrected and reviewed. 21 CFR 211.160, 211.165, 211.194."""

from __future__ import annotations

import datetime as dt

from batches.lots.models import Lot
from mes.clock import moment_words
from mes.errors import Missing, NotAllowed, RuleBroken, UnreadableInput, WrongScan
from mes.people import rules as people_rules
from mes.people.models import User
from mes.records.actors import Actor
from mes.signatures.rules import check_different_person
from quality.permissions import Permission
from quality.samples.models import Result, Sample
from quality.samples.states import CLOSED
from quality.specifications.document.schema import Criterion

EVIDENCE = ("measured", "published", "illustrative")
LEAST_REASON = 10
CLOCK_SLACK = dt.timedelta(minutes=2)
"""How far the clock of a laboratory device may run ahead before its time is refused as lying in the future."""


def check_can_bear_samples(*, by: Actor, lot: Lot) -> None:
    """Raises RuleBroken("samples_born") when the lot has its samples."""
    if Sample.objects.filter(lot=lot).exists():
        raise RuleBroken("samples_born", f"The samples of lot {lot.number} exist already.")


def check_can_draw_sample(*, by: Actor, sample: Sample) -> None:
    people_rules.check_may(by, Permission.DRAW_SAMPLES)
    _check_trained(by, sample.lot)
    if sample.state != "expected":
        raise RuleBroken("sample_not_expected", f"Sample {sample.identifier} is {sample.state.replace('_', ' ')} already.")


def check_can_draw_samples_of_step(*, by: Actor, step_run) -> None:
    """The signature of the sampling step is what draws its samples; the step's own rules have judged the person."""
    if step_run.performed_at is None:
        raise RuleBroken("step_not_performed", f"Step {step_run.key} is not signed yet; its samples are drawn with it.")


def check_can_receive_sample(*, by: Actor, sample: Sample, scanned: str) -> None:
    """Raises WrongScan("wrong_sample") when another label was scanned, RuleBroken("sample_not_drawn")."""
    people_rules.check_may(by, Permission.RECORD_RESULTS)
    if scanned.strip() != sample.identifier:
        raise WrongScan("wrong_sample", f"This is not {sample.identifier}. Put it back and scan the label of the sample you receive.", field="scanned")
    if sample.state != "drawn":
        words = {"expected": "not drawn yet", "received": "received already", "tested": "tested already"}.get(sample.state, sample.state.replace("_", " "))
        raise RuleBroken("sample_not_drawn", f"Sample {sample.identifier} is {words}.")


def check_can_lose_sample(*, by: Actor, sample: Sample, reason: str) -> None:
    people_rules.check_may(by, Permission.RECORD_RESULTS)
    check_reason(reason)
    if Result.objects.filter(sample=sample).exists():
        raise RuleBroken("sample_has_results", f"Sample {sample.identifier} has results. They stay; it cannot be declared lost.")


def check_reason(reason: str, field: str = "reason") -> None:
    if len(reason.strip()) < LEAST_REASON:
        raise UnreadableInput("reason_missing", f"Give the reason in at least {LEAST_REASON} characters: it is read by inspectors.", field=field)


def check_can_record_result(
    *, by: Actor, lot: Lot, criterion: Criterion, sample: Sample | None, kind: str, interim_day: int | None, evidence: str, evidence_source: str,
    tested_at: dt.datetime | None, now: dt.datetime,
) -> None:  # fmt: skip
    """Everything but the value itself: person, sample, time, evidence, and that there is no such result yet."""
    check_analyst(by, lot)
    check_lot_takes_results(lot)
    check_sample_of(lot, criterion, sample)
    _check_kind(criterion, kind, interim_day)
    check_evidence(lot, evidence, evidence_source)
    check_times(sample, kind, interim_day, tested_at, now)
    _check_first(lot, criterion, kind, interim_day)


def check_analyst(by: Actor, lot: Lot) -> None:
    """Raises NotAllowed: only_people_test, not_your_role, locked_out, not_trained. 21 CFR 211.25(a)."""
    if by.kind != User.PERSON:
        raise NotAllowed("only_people_test", "A result has a person as its analyst. Sign in and record it there.")
    people_rules.check_may(by, Permission.RECORD_RESULTS)
    if people_rules.is_locked(by.user_id):
        raise NotAllowed("locked_out", f"{by.full_name} is locked out after wrong secrets. An administrator can lift the lock.")
    _check_trained(by, lot)


def _check_trained(by: Actor, lot: Lot) -> None:
    version = lot.recipe_version
    people_rules.check_qualified(User.objects.get(pk=by.user_id), version.training_subject, f"{version.master.name}, version {version.label}")


def check_lot_takes_results(lot: Lot) -> None:
    # A certified lot takes results: those timed after release are still to come, and a late failure must be said.
    if lot.state in CLOSED:
        raise RuleBroken("lot_closed", f"Lot {lot.number} is {lot.state.replace('_', ' ')}; it takes no results any more.")


def check_sample_of(lot: Lot, criterion: Criterion, sample: Sample | None) -> None:
    """Raises WrongScan("sample_of_another_lot"), RuleBroken: sample_missing, not_a_test_of_this_sample, sample_not_received."""
    if sample is None:
        if criterion.sample is not None:
            raise RuleBroken("sample_missing", f"{criterion.name} is tested from sample {criterion.sample}, which lot {lot.number} does not have.")
        return
    if sample.lot_id != lot.pk:
        raise WrongScan(
            "sample_of_another_lot",
            f"Sample {sample.identifier} belongs to another lot, not to {lot.number}. Nothing was recorded; look at the label.",
            field="sample",
            detail={"subject": str(sample.pk)},
        )
    if criterion.code not in sample.tests:
        raise RuleBroken("not_a_test_of_this_sample", f"{criterion.name} is not tested from sample {sample.identifier}.", field="sample")
    if sample.state not in ("received", "tested"):
        words = {"expected": "not drawn yet", "drawn": "not received in QC yet"}.get(sample.state, sample.state.replace("_", " "))
        raise RuleBroken("sample_not_received", f"Sample {sample.identifier} is {words}. Receive it by scanning its label, then record the result.")


def _check_kind(criterion: Criterion, kind: str, interim_day: int | None) -> None:
    if kind not in ("final", "interim"):
        raise UnreadableInput("unknown_kind", "A result is final or interim.", field="kind")
    if kind == "interim":
        if criterion.interim is None or not criterion.interim.allowed:
            raise RuleBroken("no_interim", f"{criterion.name} takes no interim reading. Record its final result.", field="kind")
        if interim_day is None or interim_day < 0:
            raise UnreadableInput("day_missing", "An interim reading says its day, counted from sampling.", field="interim_day")
    elif interim_day is not None:
        raise UnreadableInput("day_of_final", "Only an interim reading has a day. Leave it out, or mark the reading interim.", field="interim_day")


def check_evidence(lot: Lot, evidence: str, source: str) -> None:
    """Published and made-up values stand only in demo lots, and a published one names its source (decisions 29)."""
    if evidence not in EVIDENCE:
        raise UnreadableInput("unknown_evidence", "A result is measured, published or illustrative.", field="evidence")
    if evidence != "measured" and not lot.demo:
        raise RuleBroken("evidence_in_demo_only", f"Lot {lot.number} is real: its results are measured. Published and made-up values stand in demo lots only.")
    if evidence == "published" and not source.strip():
        raise UnreadableInput("source_missing", "A published value names where it was published.", field="evidence_source")


def check_times(sample: Sample | None, kind: str, interim_day: int | None, tested_at: dt.datetime | None, now: dt.datetime) -> None:
    """A test lies between drawing the sample and now; a reading of day 6 is not made on day 1."""
    if tested_at is None:
        raise UnreadableInput("tested_at_missing", "Say when the test was done.", field="tested_at")
    if tested_at.utcoffset() is None:
        raise UnreadableInput("zone_missing", "The time of the test needs its offset, such as 2026-03-19T14:05+01:00.", field="tested_at")
    if tested_at > now + CLOCK_SLACK:
        raise UnreadableInput("tested_in_future", "The time of the test lies in the future. Check it.", field="tested_at")
    drawn = sample.drawn_at if sample else None
    if drawn is None:
        return
    if tested_at < drawn - CLOCK_SLACK:
        raise UnreadableInput("tested_before_drawn", f"The test lies before sample {sample.identifier} was drawn. Check the time.", field="tested_at")
    if kind == "interim" and interim_day is not None and tested_at < drawn + dt.timedelta(days=interim_day - 1):
        at = moment_words(drawn, sample.site.time_zone)
        raise UnreadableInput("day_not_reached", f"Sample {sample.identifier} was drawn {at}; day {interim_day} is still to come.", field="interim_day")


def _check_first(lot: Lot, criterion: Criterion, kind: str, interim_day: int | None) -> None:
    there = Result.objects.filter(lot=lot, criterion=criterion.code, superseded_by=None)
    final = there.filter(kind="final").first()
    if final is not None:
        raise RuleBroken(
            "result_recorded_before",
            f"{criterion.name} is recorded: {' '.join((final.value_text, final.unit)).strip()}. A change is a correction with a reason and a second person; "
            "a repeat needs an approved retest.",
            detail={"result": str(final.pk)},
        )
    if kind == "interim" and there.filter(kind="interim", interim_day=interim_day).exists():
        raise RuleBroken("result_recorded_before", f"The reading of day {interim_day} is recorded. A change is a correction with a reason.")


def check_can_state_not_tested(*, by: Actor, lot: Lot, criterion: Criterion, reason: str) -> None:
    """Raises RuleBroken("test_required"): only one of several ways, or what nothing judges, may be left out."""
    check_analyst(by, lot)
    check_lot_takes_results(lot)
    check_reason(reason)
    if criterion.any_of is None and criterion.type not in ("report_only", "redacted", "text"):
        raise RuleBroken("test_required", f"{criterion.name} is required. It cannot be left out.")
    _check_first(lot, criterion, "final", None)


def check_can_correct_result(*, by: Actor, result: Result, text: str, reason: str, signer: User) -> None:
    """A correction is for transcription only: reason, and a second person against the source, who wrote none of its values (decisions 6)."""
    check_analyst(by, result.lot)
    check_lot_takes_results(result.lot)
    check_reason(reason)
    if Result.objects.filter(supersedes=result).exists():
        raise RuleBroken("corrected_before", "This result was corrected before. Correct the one that counts now.")
    if result.verdict == "not_tested" and result.value is None and result.value_text == "not tested":
        raise RuleBroken("nothing_to_correct", "This is a statement that the test was not done. There is no value to correct.")
    check_different_person(signer.pk, by.user_id, f"{signer.full_name} corrects this result. Another person has to compare it with its source.")
    _check_wrote_none(signer, result, "compare it with its source")
    people_rules.check_person_may(signer, Permission.REVIEW_RESULTS, by.site_id)


def check_can_judge_anew(*, by: Actor, result: Result, why: str, reason: str) -> None:
    """A verdict is made anew only where what it stands on changed (`why` in words): never to get another one. Raises RuleBroken("verdict_stands")."""
    check_analyst(by, result.lot)
    check_lot_takes_results(result.lot)
    check_reason(reason)
    if Result.objects.filter(supersedes=result).exists():
        raise RuleBroken("corrected_before", "This result was corrected or judged anew before. Look at the one that counts now.")
    if not why:
        raise RuleBroken("verdict_stands", f"Nothing that the verdict of {result.criterion} stands on has changed since. It is not made anew.")


def check_can_review_result(*, by: Actor, result: Result, signer: User) -> None:
    """A second person, who neither tested nor corrected it. 21 CFR 211.194(a)(8)."""
    people_rules.check_person_may(signer, Permission.REVIEW_RESULTS, by.site_id)
    version = result.lot.recipe_version
    people_rules.check_qualified(signer, version.training_subject, f"{version.master.name}, version {version.label}")
    if Result.objects.filter(supersedes=result).exists():
        raise RuleBroken("corrected_before", "This result was corrected. Review the one that counts now.")
    if hasattr(result, "review"):
        raise RuleBroken("reviewed_before", f"{result.criterion} was reviewed before.")
    _check_wrote_none(signer, result, "review it")


def _check_wrote_none(signer: User, result: Result, act: str) -> None:
    """Who recorded the result or one that it supersedes compares and reviews it no more. Raises NotAllowed("same_person")."""
    each: Result | None = result
    while each is not None:
        check_different_person(signer.pk, each.by_id, f"{signer.full_name} recorded {result.criterion}. Another person has to {act}.")
        each = each.supersedes


def check_can_review_sample(*, by: Actor, sample: Sample, results: list[Result], signer: User) -> None:
    if not results:
        raise RuleBroken("nothing_to_review", f"Every result of sample {sample.identifier} is reviewed.")
    for result in results:
        check_can_review_result(by=by, result=result, signer=signer)


def criterion_of(document, code: str) -> Criterion:
    """The criterion of the lot's specification. Raises Missing."""
    try:
        return document.criterion(code)
    except KeyError:
        raise Missing("no_such_criterion", f"The specification of this lot has no criterion {code}.", field="criterion") from None
