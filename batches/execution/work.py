"""What a deed in a step works on: the locked rows of lot and step with what the recipe says about them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Concat

from batches.execution.models import StepRun
from batches.execution.queries.held import Held, held_from, steps_with_rows
from batches.execution.queries.runs import recipe_of, run_by_key, zone_of
from batches.lots.models import Lot
from batches.recipes.document.schema import Recipe, Step
from mes.asked import asked, together
from mes.errors import Missing, StaleRecord
from mes.people import accountability
from mes.people.standing import Standing, standing_from, standings
from mes.signatures import ceremony
from mes.signatures.ceremony import Proof
from mes.signatures.rules import other_record


@dataclass(frozen=True)
class Work:
    """A run with its lot, recipe, step and the site's zone."""

    run: StepRun
    lot: Lot
    recipe: Recipe
    step: Step
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class At:
    """A step by its address: the number of the lot and the key of the run."""

    number: str
    key: str


def work_on(step: uuid.UUID | At, *, seen: int | None = None) -> Work:
    """Lock the lot, then the step (always in that order), to the end of the deed. `step` is the id of the run, or its address.

    A hold that is being placed and a value that is being recorded therefore come one after the other. Raises StaleRecord, Missing.
    """
    locked = _locked_at(step.number, step.key) if isinstance(step, At) else _locked(step)
    if not locked and isinstance(step, At):
        run_by_key(step.number, step.key)  # says which of the two there is not
    return _work(locked, seen)


@dataclass(frozen=True, slots=True)
class ToSign:
    """What a deed that signs a step works on, all of it as it is under the lock."""

    work: Work
    signer: Standing
    held: Held
    spent: list[tuple]
    """The answer to ceremony.spending(), for signatures.sign()."""


def work_to_sign(step: uuid.UUID | At, proof: Proof, site_id: uuid.UUID, *, seen: int | None = None) -> ToSign:
    """The same for a step that is signed, and with it, as it is under the lock: how the signer stands, and what the step holds.

    The lock, all that is asked under it and the spending of the intent travel together.
    A step that is named by its address is the one of the proof's intent, or nothing is signed: raises SigningRefused("intent_of_other_record").
    """
    run_id = proof.record_id if isinstance(step, At) else step
    signer = (_signer, proof.user.pk, site_id, accountability.CURRENT, run_id)
    locked, (person,), held, spent = together((_locked, run_id), signer, (steps_with_rows, run_id), ceremony.spending(proof.intent_id))
    if isinstance(step, At) and [(run.lot.number, run.key) for run in locked] != [(step.number, step.key)]:
        raise other_record()
    work = _work(locked, seen)
    return ToSign(work, standing_from(person, site_id, work.lot.recipe_version.training_subject), held_from(held[0]), spent)


def _work(locked: list[StepRun], seen: int | None) -> Work:
    if not locked:
        raise Missing("not_found", f"There is no such {StepRun._meta.verbose_name} here.")
    if seen is not None and locked[0].version != seen:
        raise StaleRecord()
    return seen_work(locked[0])


def _locking() -> QuerySet[StepRun]:
    """One statement locks both, the lot first: PostgreSQL takes the locks of a row in the order in which they are named.

    Whoever waits gets both rows as they are after the wait; what is read beside them a lot names once and for ever.
    """
    beside = ("lot__recipe_version__master", "lot__therapy_event", "lot__site")
    return StepRun.objects.select_related(*beside).defer("lot__recipe_version__text").select_for_update(no_key=True, of=("lot", "self"))


@asked(uuid.UUID)
def _locked(run_id):
    return _locking().filter(pk=run_id)


@asked(str, str)
def _locked_at(number, key):
    return _locking().filter(lot__number=number, key=key)


@asked(uuid.UUID, uuid.UUID, str, uuid.UUID)
def _signer(user_id, site_id, text_version, run_id):
    subject = Concat(Value("recipe_version:"), Cast("lot__recipe_version_id", TextField()), output_field=TextField())  # RecipeVersion.training_subject
    return standings(user_id, site_id, Subquery(StepRun.objects.filter(pk=run_id).values(subject=subject)), text_version)


def seen_work(run: StepRun) -> Work:
    """The same for reading: nothing is locked."""
    recipe = recipe_of(run.lot)
    return Work(run, run.lot, recipe, recipe.step(run.step_key), zone_of(run.lot))
