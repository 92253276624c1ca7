"""What a step still needs before it can be signed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from batches.execution.models import Excursion, StepRun
from batches.execution.queries.content import excursions_of
from batches.execution.queries.held import Held, held_by, is_answered
from batches.execution.queries.runs import recipe_of, step_of
from batches.execution.queries.values import Ledger, expression
from batches.recipes.document.schema import Parameter, Step
from batches.recipes.expressions import ExpressionRefused


@dataclass(frozen=True)
class Missing:
    """One thing to do: in words, and the element of the page where it is done (without #)."""

    text: str
    anchor: str


def missing(run: StepRun, ledger: Ledger | None = None, held: Held | None = None) -> list[Missing]:
    """Everything that stands between the step and its signature, in the order of the page. `held`: what the step holds, where it was just read."""
    step, held = step_of(run), held or held_by(run)
    return [*_choices(run, held), *_scans(run, step, held), *_values(run, step, ledger, held), *_files(step, held)]


def _scans(run: StepRun, step: Step, held: Held) -> list[Missing]:
    names = {each.code: each.name for each in recipe_of(run.lot).materials}
    classes = {each.code: each.name for each in recipe_of(run.lot).equipment_classes}
    taken = Counter(line["line"] for line in held.consumptions if line["counts"])
    used = {use["class_code"] for use in held.equipment}
    found = [Missing(f"Scan the {classes[code]}.", f"slot-e-{code}") for code in step.equipment if code not in used]
    wanted = Counter(line.material for line in step.materials if line.required)
    return found + [Missing(f"Scan {names[code]}.", f"slot-m-{code}") for code in wanted if taken[code] < wanted[code]]


def _values(run: StepRun, step: Step, ledger: Ledger | None, held: Held) -> list[Missing]:
    """What a person still enters. A calculated value follows by itself; it is named only where entering what is left here would not bring it."""
    open_ones = [p for p in step.parameters if p.required and p.key not in held.current]
    stuck = [p for p in open_ones if p.type == "calculated" and not _follows(p, step, {each.key for each in open_ones}, held)]
    if stuck:
        ledger = ledger or Ledger(run.lot)
    return [
        Missing(why_not_calculated(run, p, ledger), f"param-{p.key}") if p.type == "calculated" else Missing(f"Enter {p.name}.", f"in-{p.key}")
        for p in open_ones
        if p.type != "calculated" or p in stuck
    ]


def _follows(parameter: Parameter, step: Step, open_keys: set[str], held: Held) -> bool:
    """Whether a calculated value waits, itself or through another one of the step, for a value that a person still enters here."""
    here = {p.key: p for p in step.parameters if p.key not in held.current}
    asked, seen = [parameter], {parameter.key}
    while asked:
        for name in expression(asked.pop().expression or "").names - seen:
            seen.add(name)
            other = here.get(name)
            if other is not None and other.type == "calculated":
                asked.append(other)
            elif other is not None and name in open_keys:
                return True
    return False


def why_not_calculated(run: StepRun, parameter: Parameter, ledger: Ledger) -> str:
    """Why a calculated value is not there: which values it needs, or that it has no result."""
    known = ledger.values(run)
    names = {p.key: p.name for _, p in ledger.recipe.parameters()}
    formula = expression(parameter.expression or "")
    needed = [names.get(name, name) for name in sorted(formula.names) if known.get(name) is None]
    if needed:
        return f"{parameter.name} needs {', '.join(needed)}."
    try:
        formula.evaluate(known)
    except ExpressionRefused as refused:
        return f"{parameter.name}: {refused.sentence}"
    return f"{parameter.name} is calculated when its values are recorded."


def _files(step: Step, held: Held) -> list[Missing]:
    there = {each["code"] for each in held.files}
    return [Missing(f"Attach {each.title}.", f"file-{each.code}") for each in step.attachments if each.required and each.code not in there]


def _choices(run: StepRun, held: Held) -> list[Missing]:
    return [Missing(f"Decide about {_name(run, each['parameter'])}.", f"way-{each['id']}") for each in held.undecided]


def _name(run: StepRun, key: str) -> str:
    try:
        return step_of(run).parameter(key).name
    except KeyError:
        return key


def undecided(run: StepRun) -> list[Excursion]:
    """Excursions of the step about which nobody has chosen yet; a correction answers the excursion of the value it corrects."""
    return [each for each in excursions_of(run) if not _is_answered(each)]


def _is_answered(excursion: Excursion) -> bool:
    made = sorted(excursion.choices.all(), key=lambda each: each.recorded_at)
    return is_answered(getattr(excursion.entry, "superseded_by", None) is not None, [each.choice for each in made])
