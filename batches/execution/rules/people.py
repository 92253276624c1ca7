"""Not by this person: role, training, lock-out, two persons. 21 CFR 11.10(g), 211.25."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from functools import reduce
from operator import or_

from django.db.models import Exists, OuterRef, Q

from batches.equipment.models import EquipmentUse
from batches.execution.models import Attachment, Entry, ExcursionChoice, ScanEvent, StepRun
from batches.materials.models import Consumption
from batches.permissions import Permission
from batches.recipes.document.schema import Step
from mes.asked import asked
from mes.errors import NotAllowed
from mes.people import rules as people_rules
from mes.people.models import User
from mes.people.standing import Standing, standing_of
from mes.records.actors import Actor
from mes.signatures.rules import check_different_person


def standing_in(person_id, site_id, run: StepRun) -> Standing:
    """How somebody stands at the site, with their training for the lot's recipe: what the rules below ask about. One statement."""
    return standing_of(person_id, site_id, run.lot.recipe_version.training_subject)


def check_performs(person: Standing, run: StepRun, step: Step) -> None:
    """Raises NotAllowed: only_people_sign, not_your_role, locked_out, not_your_step, not_trained."""
    people_rules.check_person_may(person.user, Permission.RECORD_VALUES, person.site_id, person)
    _check_not_locked(person)
    if step.performed_by not in {role.code for role in person.roles}:
        role = step.performed_by.replace("_", " ")
        raise NotAllowed(
            "not_your_step",
            f"Step {run.key} is done by the role {role}, which {person.user.full_name} does not hold here. Hand the tablet to somebody who does.",
            detail={"subject": str(run.pk)},
        )
    _check_trained(person, run)


def check_may_read_step(by: Actor, run: StepRun, step: Step, standing: Standing | None = None) -> None:
    """Raises NotAllowed("not_your_record"): who does not read the batch record sees the steps of their own role only, as a treatment centre does.

    `standing` is taken where it is the actor's own.
    """
    if standing is None or not standing.is_of(by.user_id, by.site_id):
        standing = standing_in(by.user_id, by.site_id, run)
    if str(Permission.READ_RECORD) in standing.permissions or step.performed_by in {role.code for role in standing.roles}:
        return
    raise NotAllowed(
        "not_your_record", f"{by.full_name} does not read the batch record here. Step {run.key} is of another role.", detail={"subject": str(run.pk)}
    )


def check_actor_performs(by: Actor, run: StepRun, step: Step) -> None:
    """The same for the person of the session. A device or a job never works on a step."""
    check_performs(standing_in(by.user_id, by.site_id, run), run, step)


def may_check(step: Step, roles: Collection[str]) -> bool:
    """Whether somebody with these roles may be the second person of a step, by its recipe: what the station offers, and what is asked of who signs."""
    return not {step.performed_by, *step.checked_by}.isdisjoint(roles)


def check_second_person(person: Standing, first, run: StepRun, step: Step) -> None:
    """Raises NotAllowed: same_person (also for whoever opened the step or did anything in it), not_your_role, not_your_check, locked_out, not_trained."""
    name = person.user.full_name
    check_different_person(person.user.pk, first, f"{name} performed step {run.key}. Another person has to check it.")
    if _worked_on(person.user, run):
        raise NotAllowed("same_person", f"{name} worked on step {run.key}. Somebody who did not has to check it.", detail={"subject": str(run.pk)})
    people_rules.check_person_may(person.user, Permission.SIGN_AS_SECOND_PERSON, person.site_id, person)
    if not may_check(step, {role.code for role in person.roles}):
        roles = " or ".join(dict.fromkeys(role.replace("_", " ") for role in (step.performed_by, *step.checked_by)))
        raise NotAllowed(
            "not_your_check", f"Step {run.key} is checked by the role {roles}, which {name} does not hold here. Hand the tablet to somebody who does.",
            detail={"subject": str(run.pk)},
        )  # fmt: skip
    _check_not_locked(person)
    _check_trained(person, run)


def _worked_on(person: User, run: StepRun) -> bool:
    """Whether the person opened the step, scanned or read an identifier for it, recorded anything in it, or chose about its excursion.

    Who did would check their own work. 21 CFR 211.101(d), 211.188(b)(11).
    """
    if run.opened_by_id == person.pk:
        return True
    (there,) = _traces(run.pk, person.pk)
    return there.found


@asked(uuid.UUID, uuid.UUID)
def _traces(run_id, person_id):
    of_run = {"step_run": OuterRef("pk")}
    own = {"by_id": person_id, **of_run}
    traces = (
        Entry.objects.filter(**own).exclude(source="calculated"),
        ScanEvent.objects.filter(Q(by_id=person_id) | Q(with_person_id=person_id), **of_run),
        ExcursionChoice.objects.filter(excursion__step_run=OuterRef("pk"), by_id=person_id),
        *(kind.objects.filter(**own) for kind in (Consumption, EquipmentUse, Attachment)),
    )
    return StepRun.objects.only("pk").filter(pk=run_id).annotate(found=reduce(or_, (Q(Exists(each)) for each in traces)))


def check_beside(person: User, by: Actor, run: StepRun, what: str) -> None:
    """A second person who stands beside the first for one act: `what` completes "has to ..."."""
    check_different_person(person.pk, by.user_id, f"{person.full_name} is at the tablet already. Another person has to {what}.")
    standing = standing_in(person.pk, by.site_id, run)
    people_rules.check_person_may(standing.user, Permission.SIGN_AS_SECOND_PERSON, by.site_id, standing)
    _check_not_locked(standing)
    _check_trained(standing, run)


def _check_not_locked(person: Standing) -> None:
    # Lock-out locks a person, never a step (decision 24).
    if people_rules.is_locked(person.user.pk, person.locked):
        raise NotAllowed(
            "locked_out",
            f"{person.user.full_name} is locked out after wrong secrets. An administrator can lift the lock; another qualified person can go on.",
        )


def _check_trained(person: Standing, run: StepRun) -> None:
    version = run.lot.recipe_version
    people_rules.check_qualified(person.user, version.training_subject, f"{version.master.name}, version {version.label}", person)
