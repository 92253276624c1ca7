"""From an order to the steps of a lot."""

from __future__ import annotations

from batches.events import Event
from batches.execution import rules
from batches.execution.models import StepRun
from batches.execution.queries.runs import recipe_of
from batches.lots.models import Lot
from batches.recipes.document.planning import planned_steps
from mes.records.actors import Actor
from mes.records.door import service


@service(Event.STEPS_PLANNED)
def plan_lot(*, by: Actor, lot: Lot) -> Lot:
    """Lay out every run of every step of the lot's recipe version, in the order they are done. Raises RuleBroken("already_planned")."""
    rules.check_can_plan_lot(by=by, lot=lot)
    for planned in planned_steps(recipe_of(lot)):
        StepRun(
            site_id=lot.site_id, lot=lot, key=planned.key, step_key=planned.step.key, stage=planned.step.stage, order=planned.order,
            day=planned.occurrence_day,
        ).save()  # fmt: skip
    return lot
