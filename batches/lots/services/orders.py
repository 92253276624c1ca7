"""Ordering a lot: therapy event, donations, lot, containers, all in one deed."""

from __future__ import annotations

import os
from collections.abc import Sequence

from django.db import IntegrityError

from batches.events import Event
from batches.lots import queries, rules
from batches.lots.identifiers import CHECK_CODE_BYTES, SERIAL_BYTES, check_din, new_check_code, new_coi
from batches.lots.models import Donation, Lot, LotDonation, LotSite, TherapyEvent
from batches.lots.services.containers import issuer_of, write_container
from batches.recipes.models import RecipeVersion
from batches.recipes.queries import document
from batches.subjects.models import Patient
from mes.errors import RuleBroken
from mes.keys import uuid7
from mes.people.models import Site
from mes.records.actors import Actor
from mes.records.door import deed_now, service

COLLECTION = "collection_bag"


@service(Event.LOT_ORDERED)
def order_lot(
    *,
    by: Actor,
    patient_id,
    recipe_version_id,
    market: str,
    cohort: str,
    treatment_centre: str,
    physician_name: str,
    physician_email: str,
    dins: Sequence[str],
    therapy_event_id=None,
    demo: bool = False,
) -> Lot:
    """Order a lot of an effective recipe version for one therapy event of a patient.

    `dins` are donation numbers with their check characters, scanned or typed. With `therapy_event_id` the lot joins that event
    (a remade lot, a second donation), and centre and physician are the event's. Raises IdentifierRefused for a donation number and
    what rules.check_can_order_lot raises.
    """
    site = Site.objects.lock(by.site_id)  # numbers and check codes are given one order at a time
    patient = Patient.objects.one(pk=patient_id)
    version = RecipeVersion.objects.one(pk=recipe_version_id)
    recipe = document(version)
    event = TherapyEvent.objects.lock(therapy_event_id) if therapy_event_id else None
    numbers = [check_din(text) for text in dins]
    known = list(Donation.objects.filter(din__in=numbers).select_related("therapy_event"))
    centre = {"treatment_centre": treatment_centre, "physician_name": physician_name, "physician_email": physician_email}
    cohort = cohort or (recipe.dose.cohorts[0].code if len(recipe.dose.cohorts) == 1 else "")
    rules.check_can_order_lot(
        by=by, patient=patient, version=version, recipe=recipe, market=market, cohort=cohort, centre=centre, dins=numbers, event=event, known=known,
        demo_at_real_site=demo and not (version.demo or site.demo),
    )  # fmt: skip
    event = event or _new_event(by, site, patient, centre)
    lot = Lot(
        id=uuid7(), site_id=by.site_id, number=_next_number(site), therapy_event=event, recipe_version=version, product=recipe.product,
        check_code=new_check_code(os.urandom(CHECK_CODE_BYTES), queries.open_check_codes(by.site_id)), market=market, cohort=cohort,
        demo=demo or version.demo or site.demo,
    )  # fmt: skip
    lot.save()
    LotSite(site_id=by.site_id, lot=lot, part="manufacture").save()
    by_din = {each.din: each for each in known}
    for din in numbers:
        feed(by, lot, by_din.get(din) or new_donation(by, event, din))
    return lot


def _new_event(by: Actor, site: Site, patient: Patient, centre: dict[str, str]) -> TherapyEvent:
    coi = new_coi(issuer_of(site), os.urandom(SERIAL_BYTES))
    event = TherapyEvent(site_id=by.site_id, patient=patient, coi=coi, **{name: text.strip() for name, text in centre.items()})
    event.save()
    return event


def _next_number(site: Site) -> str:
    prefix = f"{site.code}-{deed_now().at:%y}-"
    return f"{prefix}{Lot.objects.filter(number__startswith=prefix).count() + 1:04d}"


def new_donation(by: Actor, event: TherapyEvent, din: str) -> Donation:
    """Write a new donation. Raises RuleBroken("din_of_another") when another site, whose rows are not seen here, has this number."""
    donation = Donation(site_id=by.site_id, therapy_event=event, din=din)
    try:
        donation.save()
    except IntegrityError:
        raise RuleBroken(
            "din_of_another",
            f"Donation {din} is known already and does not belong to this patient. Nothing was saved. Read the number on the bag again.",
            field="dins",
            security="identity_mismatch",
        ) from None
    return donation


def feed(by: Actor, lot: Lot, donation: Donation) -> None:
    """Let a donation feed a lot, with the collection bags that the recipe names."""
    LotDonation.objects.insert([LotDonation(site_id=by.site_id, by_id=by.user_id, lot=lot, donation=donation)])
    is_here = donation.state not in {"expected"}
    for line in document(lot.recipe_version).containers:
        if line.kind == COLLECTION:
            write_container(by, lot, line, donation=donation, state="in_use" if is_here else "expected")
