"""May not be done now: state of lot and step, order, line clearance, identity. 21 CFR 11.10(f), 211.100, 211.130."""

from __future__ import annotations

from batches.execution import queries
from batches.execution.models import StepRun
from batches.execution.queries.held import Held
from batches.execution.rules.people import check_actor_performs, check_beside, check_may_read_step, check_performs, check_second_person
from batches.lots.models import Lot
from batches.permissions import Permission
from batches.recipes.document.schema import Recipe, Step
from mes.errors import OutOfSequence, RuleBroken, UnreadableInput
from mes.people import rules as people_rules
from mes.people.models import User
from mes.people.standing import Standing
from mes.records.actors import Actor

CERTIFIED = ("certified_stage_1", "certified_final")
CORRECTABLE = ("ordered", "in_execution", "manufactured", "in_review")
KEPT = {
    "line_clearance": "clears the line, and no step of its day opens without it. Clear the line, or hold the lot.",
    "decision": "asks a question that decides how the lot goes on. Answer it, or hold the lot.",
    "order": "takes in the order of the lot. Complete it, or cancel the lot.",
}
"""Kinds of steps that are never left out, and why; the words follow the step's key."""


def check_lot_can_go_on(lot: Lot, recipe: Recipe, step_key: str, held: Held | None = None) -> None:
    """Raises RuleBroken("lot_on_hold"), RuleBroken("lot_not_open"), OutOfSequence("not_released_yet"). `held`: a step of the lot, just read."""
    if held is not None:
        why = held.hold["reason"] if held.hold is not None else None
    else:
        hold = queries.open_hold(lot)
        why = hold.reason if hold is not None else None
    if why is not None:
        raise RuleBroken("lot_on_hold", f"Lot {lot.number} is on hold: {why} Every step is read-only until quality or the supervisor ends the hold.")
    if queries.is_after_release(recipe, step_key):
        if lot.state not in CERTIFIED:
            raise OutOfSequence("not_released_yet", f"Step {step_key} opens after certification; lot {lot.number} is {_words(lot.state)}.")
    elif lot.state not in ("ordered", "in_execution"):
        raise RuleBroken("lot_not_open", f"Lot {lot.number} is {_words(lot.state)}; nothing is recorded in its steps any more.")


def check_open(run: StepRun) -> None:
    """Raises RuleBroken: step_not_open, step_stopped, step_signed."""
    if run.state == "open":
        return
    if run.state == "stopped":
        raise RuleBroken("step_stopped", f"Step {run.key} is stopped: {run.state_reason} It goes on when a supervisor or quality decides so.")
    if run.state == "waiting":
        raise RuleBroken("step_not_open", f"Step {run.key} is not open. Open it first.")
    raise RuleBroken("step_signed", f"Step {run.key} is signed. A change is a correction with a reason and a second person.")


def check_can_plan_lot(*, by: Actor, lot: Lot) -> None:
    """Raises RuleBroken("already_planned")."""
    if StepRun.objects.filter(lot=lot).exists():
        raise RuleBroken("already_planned", f"The steps of lot {lot.number} are planned already.")


def check_can_open_step(*, by: Actor, run: StepRun, recipe: Recipe, step: Step) -> None:
    """Raises what the person, lot and order rules raise: OutOfSequence("line_clearance_missing"), OutOfSequence("step_not_next")."""
    check_actor_performs(by, run, step)
    check_lot_can_go_on(run.lot, recipe, run.step_key)
    if run.state != "waiting":
        raise RuleBroken("step_is_open", f"Step {run.key} is {_words(run.state)} already.")
    clearance = queries.clearance_missing(run, recipe)
    before = queries.earlier_open(run)
    if clearance is not None and (before is None or before.order >= clearance.order):
        raise OutOfSequence(
            "line_clearance_missing",
            f"The line is not cleared on day {run.day}: step {clearance.key} has to be signed by two people before step {run.key} opens.",
            detail={"subject": str(run.pk)},
        )
    if before is not None:
        title = recipe.step(before.step_key).title
        raise OutOfSequence(
            "step_not_next", f"Step {run.key} is not next. First complete step {before.key}, {title}.", detail={"subject": str(run.pk)}
        )


def check_can_type_identifier(*, by: Actor, run: StepRun, signer: User) -> None:
    """A typed identifier needs a second person who reads it too. Raises NotAllowed("same_person") and the rules of persons."""
    check_beside(signer, by, run, "read the identifier too and sign for it")


def check_scanned(for_eyes: bool, with_second: bool) -> None:
    """Raises UnreadableInput("typed_alone"): an identifier typed in full opens a step with a second person only (decision 10). COI-03."""
    if for_eyes and not with_second:
        raise UnreadableInput(
            "typed_alone",
            "This was typed, not scanned. Scan the label; when it cannot be read, a second person reads the identifier too and signs.",
            field="code",
        )


def check_can_perform_step(*, by: Actor, run: StepRun, recipe: Recipe, step: Step, signer: Standing, held: Held) -> None:
    """Raises RuleBroken("step_incomplete") with the list of what is missing; RuleBroken("decision_needed") for a decision step;
    NotAllowed("not_your_record") for a session that does not even read the step."""
    _check_ready(by, run, recipe, step, signer, held)
    if step.decision is not None:
        raise RuleBroken("decision_needed", f"Step {run.key} asks a question. Sign it with its answer.")


def check_can_decide(*, by: Actor, run: StepRun, recipe: Recipe, step: Step, signer: Standing, held: Held, option: str, reason: str) -> None:
    """Raises as performing does, UnreadableInput("unknown_option"), UnreadableInput("reason_missing") unless the lot simply goes on."""
    if step.decision is None:
        raise RuleBroken("no_decision_here", f"Step {run.key} asks no question. Sign it as performed.")
    chosen = {each.code: each for each in step.decision.options}.get(option)
    if chosen is None:
        raise UnreadableInput("unknown_option", "Choose one of the answers of this step.", field="option")
    if chosen.consequence != "continue" and len(reason.strip()) < 3:
        raise UnreadableInput("reason_missing", f"{chosen.title} needs a reason in your words. Type it, then sign.", field="reason")
    _check_ready(by, run, recipe, step, signer, held)


def _check_ready(by: Actor, run: StepRun, recipe: Recipe, step: Step, signer: Standing, held: Held) -> None:
    check_may_read_step(by, run, step, signer)
    check_performs(signer, run, step)
    check_lot_can_go_on(run.lot, recipe, run.step_key, held)
    check_open(run)
    left = queries.missing(run, held=held)
    if left:
        words = " ".join(each.text for each in left[:3]) + (f" And {len(left) - 3} more." if len(left) > 3 else "")
        things = "1 thing is" if len(left) == 1 else f"{len(left)} things are"
        raise RuleBroken(
            "step_incomplete",
            f"{things} left in step {run.key}. {words}",
            field=left[0].anchor,
            detail={"missing": [{"text": each.text, "anchor": each.anchor} for each in left]},
        )


def check_can_second_sign_step(*, by: Actor, run: StepRun, recipe: Recipe, step: Step, signer: Standing, held: Held) -> None:
    """Raises RuleBroken("no_second_person_here"), RuleBroken("step_not_performed"), and the rules of the second person."""
    if step.second_person == "none":
        raise RuleBroken("no_second_person_here", f"Step {run.key} is signed by one person.")
    check_may_read_step(by, run, step, signer)
    check_second_person(signer, run.performed_by_id, run, step)
    check_lot_can_go_on(run.lot, recipe, run.step_key, held)
    if run.state != "performed":
        raise RuleBroken("step_not_performed", f"Step {run.key} is {_words(run.state)}. The performer signs first.")


def check_can_stop_step(*, by: Actor, run: StepRun, recipe: Recipe, step: Step, reason: str) -> None:
    """Raises RuleBroken when the step is not open, UnreadableInput("reason_missing")."""
    check_actor_performs(by, run, step)
    check_lot_can_go_on(run.lot, recipe, run.step_key)
    check_open(run)
    check_reason(reason, "Say why the step stops.")


def check_can_resume_step(*, by: Actor, run: StepRun, recipe: Recipe, signer: User, reason: str) -> None:
    """The named role decides that a stopped step goes on (decision 13). Raises NotAllowed("not_your_role"), RuleBroken("step_not_stopped")."""
    people_rules.check_person_may(signer, Permission.RESUME_LOT, by.site_id)
    check_lot_can_go_on(run.lot, recipe, run.step_key)
    if run.state != "stopped":
        raise RuleBroken("step_not_stopped", f"Step {run.key} is {_words(run.state)}; there is nothing to resume.")
    check_reason(reason, "Say why the step may go on.")


def check_can_leave_out_step(*, by: Actor, run: StepRun, recipe: Recipe, signer: User, reason: str) -> None:
    """Leaving a step out is a decision of the named role, with a reason. Raises NotAllowed and what check_may_be_left_out raises."""
    people_rules.check_person_may(signer, Permission.RESUME_LOT, by.site_id)
    check_lot_can_go_on(run.lot, recipe, run.step_key)
    check_may_be_left_out(run, recipe)
    check_reason(reason, "Say why the step is left out.")


def check_may_be_left_out(run: StepRun, recipe: Recipe) -> None:
    """Whether a step can be left out at all, whoever decides. Raises RuleBroken: step_signed, cannot_be_left_out; OutOfSequence("step_not_next")."""
    if run.state not in ("waiting", "open", "stopped"):
        raise RuleBroken("step_signed", f"Step {run.key} is {_words(run.state)}; it cannot be left out any more.")
    kept = KEPT.get(recipe.step(run.step_key).kind)
    if kept is not None:
        raise RuleBroken("cannot_be_left_out", f"Step {run.key} {kept}")
    before = queries.earlier_open(run)
    if before is not None:
        raise OutOfSequence("step_not_next", f"Step {run.key} is not next. First complete step {before.key}.", detail={"subject": str(run.pk)})


def check_reason(reason: str, what: str) -> None:
    """Raises UnreadableInput("reason_missing")."""
    if len(reason.strip()) < 3:
        raise UnreadableInput("reason_missing", f"{what} Type the reason in your words.", field="reason")


def _words(state: str) -> str:
    return state.replace("_", " ")
