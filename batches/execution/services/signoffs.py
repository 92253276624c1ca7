"""Signing a step: performed, checked by a second person, decided; and what follows when it is complete. 21 CFR 211.188(b)(11), 211.101(d)."""

from __future__ import annotations

import uuid

from batches.events import Event
from batches.execution import queries, rules
from batches.execution.models import Excursion, ExcursionChoice, StepDecision, StepRun
from batches.execution.queries.content import left_out_subject, resume_subject
from batches.execution.queries.runs import making_is_done
from batches.execution.queries.times import events_of
from batches.execution.services.recording import Book, raise_time_limit
from batches.execution.work import At, ToSign, Work, work_on, work_to_sign
from batches.lots.models import Lot
from batches.lots.services import move_lot, put_on_hold
from batches.permissions import Permission
from mes.asked import asked
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import services as signatures
from mes.signatures.ceremony import Proof
from mes.signatures.models import Signature


@service(Event.STEP_PERFORMED)
def perform_step(*, by: Actor, step_run_id: uuid.UUID | At, proof: Proof, seen: int | None = None) -> StepRun:
    """Sign a step as performed. The signer may be another qualified person than the one of the session (a locked-out performer is replaced).

    The step is named by its id or its address; the version that was seen stands in the intent of the proof, and is compared in any case.
    Raises RuleBroken("step_incomplete") with what is missing, StaleRecord when anything shown has changed. With no second person the step is
    complete; the last step before release makes the lot manufactured.
    """
    to_sign = work_to_sign(step_run_id, proof, by.site_id, seen=seen)
    work, signer, held = to_sign.work, to_sign.signer, to_sign.held
    rules.check_can_perform_step(by=by, run=work.run, recipe=work.recipe, step=work.step, signer=signer, held=held)
    _sign(by, work, proof, queries.subject_of(work.run, held), "performed", Permission.RECORD_VALUES, to_sign=to_sign)
    return _performed(by, work, proof)


@service(Event.STEP_DECIDED)
def decide(*, by: Actor, step_run_id: uuid.UUID | At, option: str, reason: str, proof: Proof, seen: int | None = None) -> StepDecision:
    """Answer a decision step by signature. What the answer does to the lot (go on, hold, terminate) happens when the step is complete."""
    to_sign = work_to_sign(step_run_id, proof, by.site_id, seen=seen)
    work, signer, held = to_sign.work, to_sign.signer, to_sign.held
    rules.check_can_decide(by=by, run=work.run, recipe=work.recipe, step=work.step, signer=signer, held=held, option=option, reason=reason)
    _sign(by, work, proof, queries.decision_subject(work.run, option, reason, held), "decided", Permission.RECORD_VALUES, to_sign=to_sign)
    chosen = next(each for each in work.step.decision.options if each.code == option)
    decision = StepDecision(
        site_id=by.site_id, by_id=proof.user.pk, lot=work.lot, step_run=work.run, option=option, consequence=chosen.consequence, reason=reason
    )
    decision.save()
    _performed(by, work, proof)
    return decision


def _sign(by: Actor, work: Work, proof: Proof, what, meaning: str, permission: Permission, requires=(), to_sign: ToSign | None = None) -> Signature:
    known = {} if to_sign is None else {"standing": to_sign.signer, "spent": to_sign.spent}
    return signatures.sign(
        by=by, proof=proof, what=what, meaning=meaning, stream=work.run.stream, lot_id=work.lot.pk, permission=permission, requires=requires, **known
    )


def _performed(by: Actor, work: Work, proof: Proof) -> StepRun:
    run = work.run
    run.state, run.performed_at, run.performed_by_id = "performed", deed_now().at, proof.user.pk
    run.save()
    signed = f"step:{run.step_key}.signed"
    if any(signed in events_of(limit) for limit in work.recipe.time_limits):  # the lot's values are read only where they are asked about
        Book.of(by, work).note_breaches({signed})
    if work.step.second_person == "none":
        _complete(by, work)
    return run


@service(Event.STEP_COMPLETED)
def second_sign_step(*, by: Actor, step_run_id: uuid.UUID | At, proof: Proof, seen: int | None = None) -> StepRun:
    """Sign a performed step as second person; the step is complete. The second person is never who performed or recorded values of it."""
    to_sign = work_to_sign(step_run_id, proof, by.site_id, seen=seen)
    work, signer, held = to_sign.work, to_sign.signer, to_sign.held
    rules.check_can_second_sign_step(by=by, run=work.run, recipe=work.recipe, step=work.step, signer=signer, held=held)
    first = _first_signatures(work.run.pk)[:1]
    what = queries.signed_subject(work.run, held)
    requires = [each.pk for each in first]
    _sign(by, work, proof, what, queries.second_meaning(work.step), Permission.SIGN_AS_SECOND_PERSON, requires=requires, to_sign=to_sign)
    work.run.second_at, work.run.second_by_id = deed_now().at, proof.user.pk
    _complete(by, work)
    return work.run


@asked(uuid.UUID)
def _first_signatures(run_id):
    return Signature.objects.filter(record_id=run_id, meaning__in=("performed", "decided")).order_by("-recorded_at")


def _complete(by: Actor, work: Work) -> None:
    run, lot = work.run, work.lot
    run.state = "complete"
    run.save()
    if work.step.second_person == "none":
        deed_now().tell(Event.STEP_COMPLETED, run)
    made = StepDecision.objects.filter(step_run=run).first() if work.step.decision is not None else None
    if made is not None and made.consequence == "terminate":
        move_lot(by=by, lot_id=lot.pk, state="terminated", reason_code="other", reason=made.reason)
    elif made is not None and made.consequence == "hold":
        put_on_hold(by=by, lot_id=lot.pk, reason=f"Decided at step {run.key}: {made.reason}")
    elif making_is_done(lot, work.recipe) and Lot.objects.filter(pk=lot.pk, state="in_execution").exists():
        move_lot(by=by, lot_id=lot.pk, state="manufactured")


@service(Event.STEP_STOPPED)
def stop_step(*, by: Actor, step_run_id, seen: int, reason: str) -> StepRun:
    """Stop an open step: nothing is recorded in it until a supervisor or quality decides that it goes on."""
    work = work_on(step_run_id, seen=seen)
    rules.check_can_stop_step(by=by, run=work.run, recipe=work.recipe, step=work.step, reason=reason)
    work.run.state, work.run.state_reason = "stopped", reason.strip()
    work.run.save()
    return work.run


@service(Event.STEP_RESUMED)
def resume_step(*, by: Actor, step_run_id, seen: int, reason: str, proof: Proof) -> StepRun:
    """The named role decides by signature that a stopped step goes on; values beyond a hard limit are thereby kept, with the reason (decision 13)."""
    work = work_on(step_run_id, seen=seen)
    rules.check_can_resume_step(by=by, run=work.run, recipe=work.recipe, signer=proof.user, reason=reason)
    _sign(by, work, proof, resume_subject(work.run, reason), "resumed", Permission.RESUME_LOT)
    for excursion in queries.undecided(work.run):
        if excursion.kind == "hard_limit":
            _choice(by, excursion, "keep", reason, proof.user.pk)
    work.run.state, work.run.state_reason = "open", reason.strip()
    work.run.save()
    return work.run


@service(Event.STEP_LEFT_OUT)
def leave_out_step(*, by: Actor, step_run_id, seen: int, reason: str, proof: Proof) -> StepRun:
    """The named role decides by signature that a step is not done; this is an excursion that a deviation answers. 21 CFR 211.100(b).

    Raises NotAllowed("not_your_role"), RuleBroken: step_signed, cannot_be_left_out, lot_on_hold; OutOfSequence("step_not_next").
    """
    work = work_on(step_run_id, seen=seen)
    rules.check_can_leave_out_step(by=by, run=work.run, recipe=work.recipe, signer=proof.user, reason=reason)
    _sign(by, work, proof, left_out_subject(work.run, reason), "left_out", Permission.RESUME_LOT)
    work.run.state, work.run.state_reason = "not_done", reason.strip()
    work.run.save()
    excursion = Excursion(
        site_id=by.site_id, by_id=proof.user.pk, lot=work.lot, step_run=work.run, kind="other", reference=f"left_out:{work.run.key}",
        sentence=f"Step {work.run.key}, {work.step.title}, was left out: {reason.strip()}",
    )  # fmt: skip
    excursion.save()
    deed_now().tell(Event.EXCURSION_RAISED, excursion)
    if making_is_done(work.lot, work.recipe) and Lot.objects.filter(pk=work.lot.pk, state="in_execution").exists():
        move_lot(by=by, lot_id=work.lot.pk, state="manufactured")
    return work.run


@service(Event.EXCURSION_CHOSEN)
def choose(*, by: Actor, excursion_id, choice: str, reason: str) -> ExcursionChoice:
    """What the person does about a value outside its limits: correct it, keep it and go on, keep it and stop the step.

    Raises RuleBroken("hard_limit") for keeping a value that stopped the step: the named role decides that. A correction follows by
    correct_value. Source: EU GMP Annex 11 (2011) 6; ICH Q7 6.53.
    """
    excursion = Excursion.objects.one(pk=excursion_id)
    work = work_on(excursion.step_run_id)
    rules.check_can_choose(by=by, work=work, excursion=excursion, choice=choice, reason=reason)
    made = _choice(by, excursion, choice, reason, by.user_id)
    if choice == "stop" and work.run.state == "open":
        work.run.state, work.run.state_reason = "stopped", f"{excursion.sentence} {reason.strip()}"
        work.run.save()
        deed_now().tell(Event.STEP_STOPPED, work.run)
    return made


def _choice(by: Actor, excursion: Excursion, choice: str, reason: str, person_id) -> ExcursionChoice:
    made = ExcursionChoice(site_id=by.site_id, by_id=person_id, lot_id=excursion.lot_id, excursion=excursion, choice=choice, reason=reason.strip())
    made.save()
    return made


@service(Event.EXCURSION_RAISED)
def record_time_breach(*, by: Actor, lot_id, code: str) -> Excursion:
    """Write the excursion of a time limit that has passed, once (for the watch that looks every minute).

    Raises RuleBroken("not_breached"), RuleBroken("already_told").
    """
    lot = Lot.objects.lock(lot_id)
    found = next((each for each in queries.time_limits(lot, deed_now().at) if each.code == code), None)
    exists = Excursion.objects.filter(lot=lot, kind="time_limit", reference=code).exists()
    rules.check_can_record_time_breach(by=by, lot=lot, found=found, exists=exists)
    return raise_time_limit(by, found, lot, tell=False)
