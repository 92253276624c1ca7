"""The order of the work: repeats, decisions, line clearance, containers, stages after release."""

from batches.recipes.document.checks.context import Context
from batches.recipes.document.planning import planned_steps
from batches.recipes.document.problems import Path
from batches.recipes.document.schema import Step


def check_procedure(context: Context) -> None:
    """Notes what is wrong with the order of the work."""
    for path, step in context.steps():
        _check_repeat(context, path, step)
        _check_decision(context, path, step)
        if step.kind == "line_clearance" and step.second_person == "none":
            message = "line clearance is verified by a second person at the time; write second_person: verify or witness"
            context.refuse(path, "line_clearance_alone", message)
        if not (step.parameters or step.materials or step.decision or step.attachments):
            context.refuse(path, "step_empty", f"step {step.key} records nothing; give it a parameter, a material, a file or a decision")
    _check_containers(context)
    _check_line_clearance(context)
    _check_after_release(context)


def _check_repeat(context: Context, path: Path, step: Step) -> None:
    if step.repeat is None:
        return
    if step.repeat.from_day >= step.repeat.to_day:
        days = f"day {step.repeat.from_day} to day {step.repeat.to_day}"
        context.refuse((*path, "repeat"), "repeat_reversed", f"the step repeats from {days}; write two different days in order")
    elif step.repeat.to_day - step.repeat.from_day > 60:
        context.refuse((*path, "repeat"), "repeat_too_long", "a step repeats on at most 61 days")
    if step.day != step.repeat.from_day:
        context.refuse((*path, "day"), "day_unlike_repeat", f"the step repeats from day {step.repeat.from_day} but says day {step.day}; write the same")
    if any(container.created_by == step.key for container in context.recipe.containers):
        context.refuse((*path, "repeat"), "container_made_twice", f"step {step.key} makes a container, so it can be done once only")


def _check_decision(context: Context, path: Path, step: Step) -> None:
    if (step.kind == "decision") != (step.decision is not None):
        has = "asks nothing: add decision with question and options" if step.decision is None else f"has a decision but is of kind {step.kind}"
        context.refuse(path, "decision_missing" if step.decision is None else "decision_unwanted", f"step {step.key} {has}")
    if step.decision is not None and all(option.consequence != "continue" for option in step.decision.options):
        context.refuse((*path, "decision"), "decision_without_way_on", f"no answer of step {step.key} lets the lot go on")


def _check_containers(context: Context) -> None:
    made = {container.code: container.created_by for container in context.recipe.containers}
    for path, step in context.steps():
        maker = made.get(step.touches_material or "")
        if maker in context.order and context.order[maker] >= context.order[step.key]:
            message = f"'{step.touches_material}' is made at step {maker}, so it cannot be scanned at step {step.key} already"
            context.refuse((*path, "touches_material"), "container_not_yet_made", message)


def _check_line_clearance(context: Context) -> None:
    """Every manufacturing day opens with a line clearance (21 CFR 211.130; 211.188(b)(6))."""
    after = {stage.code for stage in context.recipe.stages if stage.after_release}
    paths = {step.key: path for path, step in context.steps()}
    cleared: set[int] = set()
    for run in planned_steps(context.recipe):
        step = run.step
        if step.kind == "line_clearance":
            cleared.add(run.occurrence_day)
        is_manufacturing = step.performed_by == "operator" and step.touches_material is not None and step.stage not in after
        if is_manufacturing and run.occurrence_day not in cleared:
            cleared.add(run.occurrence_day)  # told once a day
            message = f"day {run.occurrence_day} starts with step {step.key} without line clearance before it; add a step of kind line_clearance"
            context.refuse(paths[step.key], "line_clearance_missing", message)


def _check_after_release(context: Context) -> None:
    released = False
    for number, stage in enumerate(context.recipe.stages):
        if released and not stage.after_release:
            message = f"stage {stage.code} stands after a stage that opens only after release; move it or mark it after_release"
            context.refuse(("stages", number), "stage_order", message)
        released = released or stage.after_release
    last = max((_last_day(step) for _, step in context.steps() if not _is_after(context, step)), default=None)
    for path, step in context.steps():
        if last is not None and _is_after(context, step) and step.day < last:
            context.refuse((*path, "day"), "stage_order", f"step {step.key} opens after release, but the making goes on until day {last}")


def _last_day(step: Step) -> int:
    return step.day if step.repeat is None else step.repeat.to_day


def _is_after(context: Context, step: Step) -> bool:
    return any(stage.code == step.stage and stage.after_release for stage in context.recipe.stages)
