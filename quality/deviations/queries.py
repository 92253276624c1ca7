"""Deviations: lists, what is open, and what is signed."""

from __future__ import annotations

from django.db import connection

from batches.execution.models import Excursion, ExcursionChoice
from batches.lots.models import Lot
from mes.errors import Missing
from mes.people.models import Site
from mes.signatures import ceremony
from quality.deviations.models import Deviation

ASSESSMENT, CLOSURE = "deviation.assessment/1", "deviation.closure/1"


def by_number(number: str) -> Deviation:
    """The deviation with that number, and all that is shown of it. Raises Missing."""
    found = Deviation.objects.select_related("lot__site", "lot__recipe_version__master", "excursion__step_run", "excursion__entry")
    deviation = found.select_related("result__specification_version__specification", "classified_by", "assessed_by", "closed_by").filter(number=number).first()
    if deviation is None:
        raise Missing("not_found", f"There is no deviation {number} here.")
    return deviation


def choices_about(deviation: Deviation) -> list[ExcursionChoice]:
    """What people chose about the excursion that it answers, oldest first."""
    if deviation.excursion_id is None:
        return []
    return list(ExcursionChoice.objects.filter(excursion_id=deviation.excursion_id).select_related("by").order_by("recorded_at"))


def of_excursion(excursion_id) -> Deviation | None:
    """The deviation that answers an excursion. Raises Missing for an excursion that is not of this site."""
    if not Excursion.objects.filter(pk=excursion_id).exists():
        raise Missing("not_found", "There is no such excursion here.")
    return Deviation.objects.filter(excursion_id=excursion_id).first()


def lot_id_of(number: str):
    """The id of the lot with that number. Raises Missing."""
    found = Lot.objects.filter(number=number).values_list("pk", flat=True).first()
    if found is None:
        raise Missing("not_found", f"There is no lot {number} here.", field="lot")
    return found


def all_deviations():
    """Every deviation of the site, open ones first, newest first."""
    return Deviation.objects.select_related("lot").order_by("-state", "-recorded_at")


def open_deviations(lot_id=None):
    """Deviations that are not closed, newest first; of one lot when given."""
    found = Deviation.objects.exclude(state="closed").select_related("lot", "excursion").order_by("-recorded_at")
    return found.filter(lot_id=lot_id) if lot_id else found


def of_lot(lot_id):
    """Every deviation of a lot, oldest first."""
    return Deviation.objects.filter(lot_id=lot_id).select_related("excursion", "result", "assessed_by", "closed_by").order_by("recorded_at")


def undecided(lot_id):
    """Deviations that block release: critical ones with an impact not accepted, and every one whose impact is not assessed."""
    return [d for d in of_lot(lot_id) if d.state in {"open", "classified"} or d.impact == "not_acceptable"]


def next_number(site_id, at) -> str:
    """The next deviation number of the site and year, under a lock that ends with the deed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"deviation:{site_id}"])
    code = Site.objects.values_list("code", flat=True).get(pk=site_id)
    prefix = f"DEV-{code}-{at:%y}-"
    last = Deviation.objects.filter(number__startswith=prefix).order_by("-number").values_list("number", flat=True).first()
    return f"{prefix}{int(last.rsplit('-', 1)[1]) + 1 if last else 1:04d}"


def content_of(deviation: Deviation, **act: str) -> dict:
    """What a person signs of a deviation: itself, its cause, and the act (impact or closure with its reason)."""
    excursion = deviation.excursion
    return {
        "number": deviation.number,
        "lot": deviation.lot.number if deviation.lot_id else None,
        "kind": deviation.kind,
        "title": deviation.title,
        "description": deviation.description,
        "cause": excursion.sentence if excursion else (deviation.result.sentence if deviation.result_id else None),
        "classification": deviation.classification,
        "classification_reason": deviation.classification_reason,
        "investigation": deviation.investigation,
        "impact": deviation.impact,
        "impact_reason": deviation.impact_reason,
        "act": {key: str(value) for key, value in sorted(act.items())},
    }


def assessment_subject(deviation: Deviation, *, impact: str, reason: str) -> ceremony.Subject:
    """What the assessment of the impact signs."""
    return ceremony.subject(deviation, ASSESSMENT, content_of(deviation, impact=impact, reason=reason))


def closure_subject(deviation: Deviation, *, closed_as: str, reason: str) -> ceremony.Subject:
    """What the closure signs."""
    return ceremony.subject(deviation, CLOSURE, content_of(deviation, closed_as=closed_as, reason=reason))


def summary(lot_id) -> list[dict]:
    """Deviations of a lot as plain text for certificate and record, oldest first."""
    return [
        {
            "number": d.number, "title": d.title, "classification": d.classification, "state": d.state, "impact": d.impact,
            "impact_reason": d.impact_reason, "closed_as": d.closed_as,
        }
        for d in of_lot(lot_id)
    ]  # fmt: skip
