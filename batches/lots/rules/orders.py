"""When a lot may be ordered. COI-01; 21 CFR 1271.290; EU GMP Part IV 7."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from batches.lots.models import Donation, TherapyEvent
from batches.permissions import Permission
from batches.recipes.document.schema import Recipe
from batches.recipes.models import RecipeVersion
from batches.subjects.models import Patient
from mes.errors import RuleBroken, UnreadableInput
from mes.people import rules as people
from mes.records.actors import Actor
from mes.records.intact import check_trail_holds

MARKETS = {"EU": "European Union", "JP": "Japan", "UK": "United Kingdom", "US": "United States"}
"""Where a lot may be released to; what each asks for is data of the jurisdiction's profile (decisions 16)."""


def check_can_order_lot(
    *,
    by: Actor,
    patient: Patient,
    version: RecipeVersion,
    recipe: Recipe,
    market: str,
    cohort: str,
    centre: dict[str, str],
    dins: Sequence[str],
    event: TherapyEvent | None,
    known: Sequence[Donation],
    demo_at_real_site: bool = False,
) -> None:
    """Raises NotAllowed; RuleBroken: `demo_lot_here`, `recipe_not_effective`, `identity_erased`, `event_of_another`, `din_of_another`, `din_of_other_event`;
    UnreadableInput: `market_unknown`, `cohort_unknown`, `centre_missing`, `email_unreadable`, `din_missing`, `din_twice`.
    """
    people.check_may(by, Permission.ORDER_LOT)
    check_trail_holds(version.stream)
    if demo_at_real_site:
        # A demo lot takes made-up results: of a real recipe at a real site it would be a patient's product with invented tests.
        raise RuleBroken("demo_lot_here", "This site and this recipe are real, and so are their lots. Order it without demo.", field="demo")
    if version.state != "effective":
        raise RuleBroken(
            "recipe_not_effective",
            f"Version {version.label} of this recipe is {version.state.replace('_', ' ')}. Order with the effective one.",
            field="recipe",
        )
    if patient.key_destroyed:
        raise RuleBroken("identity_erased", f"The identity of {patient.pseudonym} was erased. Enter the patient again.")
    if market not in MARKETS:
        raise UnreadableInput("market_unknown", f"The market is one of: {', '.join(MARKETS)}.", field="market")
    cohorts = [each.code for each in recipe.dose.cohorts]
    if cohort not in cohorts:
        raise UnreadableInput("cohort_unknown", f"This recipe has the dose cohorts {', '.join(cohorts)}. Choose one of them.", field="cohort")
    if event is None:
        _check_centre(centre)
    elif event.patient_id != patient.pk:
        raise RuleBroken("event_of_another", "This therapy event belongs to another patient. Nothing was ordered.", security="identity_mismatch")
    if not dins:
        raise UnreadableInput("din_missing", "A lot begins with at least one donation number. Scan or type it.", field="dins")
    if len(set(dins)) != len(dins):
        raise UnreadableInput("din_twice", "The same donation number stands here twice. Each donation has its own.", field="dins")
    for donation in known:
        check_donation_is_ours(donation, patient, event)


def _check_centre(centre: dict[str, str]) -> None:
    for name, words in (("treatment_centre", "treatment centre"), ("physician_name", "physician"), ("physician_email", "physician's mail address")):
        if not centre[name].strip():
            raise UnreadableInput("centre_missing", f"The {words} is missing. Late results are told to the physician by mail.", field=name)
    try:
        validate_email(centre["physician_email"].strip())
    except ValidationError:
        raise UnreadableInput("email_unreadable", "This is no mail address. Type it as name@hospital.example.", field="physician_email") from None


def check_donation_is_ours(donation: Donation, patient: Patient, event: TherapyEvent | None) -> None:
    """Raises RuleBroken: `din_of_another` (a security event `identity_mismatch`), `din_of_other_event`, `donation_not_usable`. COI-01, COI-03."""
    if donation.therapy_event.patient_id != patient.pk:
        raise RuleBroken(
            "din_of_another",
            f"Donation {donation.din} belongs to another patient. Nothing was saved. Read the number on the bag again and compare it with the order.",
            field="dins",
            security="identity_mismatch",
        )
    if event is None or donation.therapy_event_id != event.pk:
        raise RuleBroken(
            "din_of_other_event",
            f"Donation {donation.din} belongs to therapy event {donation.therapy_event.coi} of this patient. Order the lot for that event.",
            field="dins",
        )
    if donation.state in {"rejected", "cancelled"}:
        raise RuleBroken("donation_not_usable", f"Donation {donation.din} was {donation.state}. It cannot feed a lot.", field="dins")
