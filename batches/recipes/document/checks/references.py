"""What a part names must exist: materials, equipment classes, containers, events, samples, the specification, the head of the certificate."""

from collections.abc import Collection

from batches.recipes.document.checks.context import Context
from batches.recipes.document.checks.parameters import check_evidence, check_unit
from batches.recipes.document.problems import Path, did_you_mean
from batches.recipes.document.schema import Step
from batches.recipes.units import compatible


def check_references(context: Context) -> None:
    """Notes references that lead nowhere."""
    _check_steps(context)
    _check_materials(context)
    _check_time_limits(context)
    _check_samples(context)
    _check_dose(context)
    _check_head(context)
    _check_transport(context)


def _refer(context: Context, path: Path, what: str, name: str, known: Collection[str]) -> bool:
    if name in known:
        return True
    context.refuse(path, "reference_unknown", f"there is no {what} '{name}' in this recipe{did_you_mean(name, known)}")
    return False


def _check_steps(context: Context) -> None:
    recipe = context.recipe
    materials = {each.code: each for each in recipe.materials}
    classes = {each.code for each in recipe.equipment_classes}
    containers = {each.code for each in recipe.containers}
    for path, step in context.steps():
        if step.performed_by not in context.known.roles:
            hint = did_you_mean(step.performed_by, context.known.roles) or f"; roles are {', '.join(sorted(context.known.roles))}"
            context.refuse((*path, "performed_by"), "role_unknown", f"'{step.performed_by}' is no role a step can be given to{hint}")
        seconds = {*context.known.roles, "second_person"}
        for role in (each for each in step.checked_by if each not in seconds):
            hint = did_you_mean(role, seconds) or f"; roles are {', '.join(sorted(seconds))}"
            context.refuse((*path, "checked_by"), "role_unknown", f"'{role}' is no role that can check a step{hint}")
        if step.touches_material is not None:
            _refer(context, (*path, "touches_material"), "container", step.touches_material, containers)
        for at, code in enumerate(step.equipment):
            _refer(context, (*path, "equipment", at), "equipment class", code, classes)
        for at, line in enumerate(step.materials):
            where = (*path, "materials", at)
            if not _refer(context, (*where, "material"), "material", line.material, materials):
                continue
            if line.unit is not None and check_unit(context, (*where, "unit"), line.unit) and not compatible(line.unit, materials[line.material].unit):
                message = f"'{line.material}' is kept in {materials[line.material].unit}; {line.unit} cannot be turned into it"
                context.refuse((*where, "unit"), "wrong_unit", message)


def _check_materials(context: Context) -> None:
    used = {line.material for step in context.recipe.steps() for line in step.materials}
    for at, material in enumerate(context.recipe.materials):
        check_unit(context, ("materials", at, "unit"), material.unit)
        if material.code not in used:
            context.refuse(("materials", at, "code"), "material_unused", f"no step scans the material '{material.code}'; add its line or take it out")
    made = {step.key for step in context.recipe.steps()}
    for at, container in enumerate(context.recipe.containers):
        _refer(context, ("containers", at, "created_by"), "step", container.created_by, made)


def _event_step(context: Context, path: Path, event: str) -> Step | None:
    """The step of an event, after noting what is wrong with the event."""
    if event.startswith("step:"):
        key, parameter_key = event.removeprefix("step:").rpartition(".")[0], None
    else:
        key, _, parameter_key = event.rpartition(".")
    steps = {step.key: step for step in context.recipe.steps()}
    if not _refer(context, path, "step", key, steps):
        return None
    step = steps[key]
    if step.repeat is not None:
        context.refuse(path, "event_repeated", f"step {key} is done on several days, so '{event}' is no single event; name a step done once")
    if parameter_key is not None:
        keys = {parameter.key: parameter for parameter in step.parameters}
        if _refer(context, path, f"parameter of step {key} with the key", parameter_key, keys) and keys[parameter_key].type != "datetime":
            context.refuse(path, "event_without_time", f"'{event}' is {keys[parameter_key].type}; an event is a date and time")
    return step


def _check_time_limits(context: Context) -> None:
    for at, limit in enumerate(context.recipe.time_limits):
        path: Path = ("time_limits", at)
        start, end = _event_step(context, (*path, "starts"), limit.starts), _event_step(context, (*path, "ends"), limit.ends)
        if start is not None and end is not None and (limit.starts == limit.ends or context.order[start.key] > context.order[end.key]):
            context.refuse((*path, "ends"), "event_before_start", f"'{limit.ends}' comes before '{limit.starts}'; swap them")
        check_evidence(context, path, limit.evidence, limit.evidence_source)
    _event_step(context, ("shelf_life", "starts"), context.recipe.shelf_life.starts)
    check_evidence(context, ("shelf_life",), context.recipe.shelf_life.evidence, context.recipe.shelf_life.evidence_source)


def _check_samples(context: Context) -> None:
    specifications = context.known.specifications
    steps = {step.key: step for step in context.recipe.steps()}
    criteria: Collection[str] | None = None
    if specifications is not None:
        criteria = specifications.get(context.recipe.specification)
        if criteria is None and context.known.every_specification:
            message = f"there is no specification '{context.recipe.specification}'{did_you_mean(context.recipe.specification, specifications)}"
            context.refuse(("specification",), "reference_unknown", message)
    for at, sample in enumerate(context.recipe.samples):
        path: Path = ("samples", at)
        if _refer(context, (*path, "step"), "step", sample.step, steps):
            step = steps[sample.step]
            days = (step.day, step.day) if step.repeat is None else (step.repeat.from_day, step.repeat.to_day)
            if not days[0] <= sample.day <= days[1]:
                context.refuse((*path, "day"), "day_unlike_step", f"step {step.key} is not done on day {sample.day}")
            if step.kind != "sampling":
                context.refuse((*path, "step"), "not_a_sampling_step", f"step {step.key} is of kind {step.kind}; a sample is drawn at a step of kind sampling")
        for place, test in enumerate(sample.tests):
            if criteria is not None and test not in criteria:
                message = f"the specification {context.recipe.specification} has no criterion '{test}'{did_you_mean(test, criteria)}"
                context.refuse((*path, "tests", place), "reference_unknown", message)


def _check_dose(context: Context) -> None:
    dose = context.recipe.dose
    keys = {parameter.key: parameter for _, parameter in context.recipe.parameters()}
    check_unit(context, ("dose", "unit"), dose.unit)
    check_evidence(context, ("dose",), dose.evidence, dose.evidence_source)
    if dose.kind == "per_kg" and dose.weight_parameter is None:
        context.refuse(("dose",), "weight_missing", "a dose per kg names the parameter that records the weight: weight_parameter")
    if dose.weight_parameter is not None and _refer(context, ("dose", "weight_parameter"), "parameter", dose.weight_parameter, keys):
        weight = keys[dose.weight_parameter]
        if not weight.is_numeric or weight.unit != "kg":
            context.refuse(("dose", "weight_parameter"), "weight_not_in_kg", f"'{weight.key}' is not a number in kg")
    if dose.cohort_parameter is None:
        if len(dose.cohorts) > 1:
            context.refuse(("dose",), "cohort_parameter_missing", "with several cohorts the recipe names the choice that records which was ordered")
    elif _refer(context, ("dose", "cohort_parameter"), "parameter", dose.cohort_parameter, keys):
        codes = {each.code for each in dose.cohorts}
        if keys[dose.cohort_parameter].type != "choice" or set(keys[dose.cohort_parameter].options) != codes:
            message = f"'{dose.cohort_parameter}' must be a choice of exactly the cohorts {', '.join(sorted(codes))}"
            context.refuse(("dose", "cohort_parameter"), "cohorts_differ", message)


def _check_head(context: Context) -> None:
    keys = {parameter.key: parameter for _, parameter in context.recipe.parameters()}
    head = context.recipe.certificate
    for name in type(head).model_fields:
        key = getattr(head, name)
        if key is not None and _refer(context, ("certificate", name), "parameter", key, keys):
            wanted = keys[key].type == "datetime" if name == "expiry" else keys[key].is_numeric
            if not wanted:
                kind = "date and time" if name == "expiry" else "number"
                context.refuse(("certificate", name), "wrong_kind", f"'{key}' is {keys[key].type}; the certificate prints a {kind} here")
    slot = context.recipe.slot
    if slot is not None and _refer(context, ("slot",), "parameter", slot, keys) and keys[slot].type not in ("date", "datetime"):
        context.refuse(("slot",), "wrong_kind", f"'{slot}' is {keys[slot].type}; the slot is a date here")


def _check_transport(context: Context) -> None:
    for name in type(context.recipe.transport).model_fields:
        limits, where = getattr(context.recipe.transport, name), ("transport", name)
        if limits is None:
            continue
        check_evidence(context, where, limits.evidence, limits.evidence_source)
        if limits.min is None and limits.max is None:
            context.refuse(where, "limit_empty", "these temperatures have no bound; write min or max")
        if limits.min is not None and limits.max is not None and limits.min > limits.max:
            context.refuse(where, "limit_crossed", f"the lowest temperature {limits.min} lies above the highest, {limits.max}")
