"""Not by this person: role, training, lock-out, two persons. 21 CFR 11.10(g), 211.25."""

from __future__ import annotations

from django.db.models import Q

from batches.equipment.models import EquipmentUse
from batches.execution.models import Attachment, Entry, ExcursionChoice, ScanEvent, StepRun
from batches.materials.models import Consumption
from batches.permissions import Permission
from batches.recipes.document.schema import Step
from mes.errors import NotAllowed
from mes.people import rules as people_rules
from mes.people.models import User
from mes.records.actors import Actor
from mes.signatures.rules import check_different_person


def check_performs(person: User, site_id, run: StepRun, step: Step) -> None:
    """Raises NotAllowed: only_people_sign, not_your_role, locked_out, not_your_step, not_trained."""
    people_rules.check_person_may(person, Permission.RECORD_VALUES, site_id)
    _check_not_locked(person)
    held = {grant.role.code for grant in people_rules.live_grants(person.pk, site_id)}
    if step.performed_by not in held:
        role = step.performed_by.replace("_", " ")
        raise NotAllowed(
            "not_your_step",
            f"Step {run.key} is done by the role {role}, which {person.full_name} does not hold here. Hand the tablet to somebody who does.",
            detail={"subject": str(run.pk)},
        )
    _check_trained(person, run)


def check_may_read_step(by: Actor, run: StepRun, step: Step) -> None:
    """Raises NotAllowed("not_your_record"): who does not read the batch record sees the steps of their own role only, as a treatment centre does."""
    if people_rules.may(by.user_id, Permission.READ_RECORD, by.site_id):
        return
    if step.performed_by not in {grant.role.code for grant in people_rules.live_grants(by.user_id, by.site_id)}:
        raise NotAllowed(
            "not_your_record", f"{by.full_name} does not read the batch record here. Step {run.key} is of another role.", detail={"subject": str(run.pk)}
        )


def check_actor_performs(by: Actor, run: StepRun, step: Step) -> None:
    """The same for the person of the session. A device or a job never works on a step."""
    check_performs(User.objects.get(pk=by.user_id), by.site_id, run, step)


def check_second_person(person: User, first, site_id, run: StepRun) -> None:
    """Raises NotAllowed: same_person (also for whoever opened the step or did anything in it), not_your_role, locked_out, not_trained."""
    check_different_person(person.pk, first, f"{person.full_name} performed step {run.key}. Another person has to check it.")
    if _worked_on(person, run):
        raise NotAllowed(
            "same_person", f"{person.full_name} worked on step {run.key}. Somebody who did not has to check it.", detail={"subject": str(run.pk)}
        )
    people_rules.check_person_may(person, Permission.SIGN_AS_SECOND_PERSON, site_id)
    _check_not_locked(person)
    _check_trained(person, run)


def _worked_on(person: User, run: StepRun) -> bool:
    """Whether the person opened the step, scanned or read an identifier for it, recorded anything in it, or chose about its excursion.

    Who did would check their own work. 21 CFR 211.101(d), 211.188(b)(11).
    """
    if run.opened_by_id == person.pk:
        return True
    values = Entry.objects.filter(step_run=run, by=person).exclude(source="calculated")
    scans = ScanEvent.objects.filter(Q(by=person) | Q(with_person=person), step_run=run)
    choices = ExcursionChoice.objects.filter(excursion__step_run=run, by=person)
    if values.exists() or scans.exists() or choices.exists():
        return True
    return any(kind.objects.filter(step_run=run, by=person).exists() for kind in (Consumption, EquipmentUse, Attachment))


def check_beside(person: User, by: Actor, run: StepRun, what: str) -> None:
    """A second person who stands beside the first for one act: `what` completes "has to ..."."""
    check_different_person(person.pk, by.user_id, f"{person.full_name} is at the tablet already. Another person has to {what}.")
    people_rules.check_person_may(person, Permission.SIGN_AS_SECOND_PERSON, by.site_id)
    _check_not_locked(person)
    _check_trained(person, run)


def _check_not_locked(person: User) -> None:
    # Lock-out locks a person, never a step (decision 24).
    if people_rules.is_locked(person.pk):
        raise NotAllowed(
            "locked_out",
            f"{person.full_name} is locked out after wrong secrets. An administrator can lift the lock; another qualified person can go on.",
        )


def _check_trained(person: User, run: StepRun) -> None:
    version = run.lot.recipe_version
    people_rules.check_qualified(person, version.training_subject, f"{version.master.name}, version {version.label}")
