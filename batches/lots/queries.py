"""Reading lots: lists, one lot with its identity chain, and what a scan names."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from batches.lots.identifiers import ScanKind, Scanned, parse_scan
from batches.lots.models import Container, Donation, Hold, Lot, TherapyEvent
from batches.lots.states import LOT, TERMINATION_REASONS
from batches.materials.models import Consumption, MaterialLot
from mes.errors import Missing, WrongScan
from mes.signatures import ceremony
from mes.signatures.models import Signature

TYPED_MEANINGS = ("typed_identifier", "confirmed_typed_identity")
"""What is signed for an identifier that was typed, not scanned: each is counted (decision 10)."""
OPEN_STATES = sorted(state for state, following in LOT.moves.items() if following)


def lot(lot_id) -> Lot:
    """One lot with its therapy event, patient's pseudonym and recipe version. Raises Missing."""
    return _one(pk=lot_id)


def lot_by_number(number: str) -> Lot:
    """The same by lot number. Raises Missing."""
    return _one(number=number)


def _one(**lookup) -> Lot:
    found = Lot.objects.filter(**lookup).select_related("therapy_event__patient", "recipe_version__master", "site").first()
    if found is None:
        raise Missing("not_found", "There is no such lot here.")
    return found


def lots(*, states: Sequence[str] = ()) -> list[Lot]:
    """Lots of this site or with its part, newest first; only those in `states` when given."""
    rows = lot_rows().order_by("-id")
    return list(rows.filter(state__in=states) if states else rows)


def lot_rows() -> QuerySet:
    """The same as rows not yet fetched, for lists in pages."""
    return Lot.objects.select_related("therapy_event__patient", "recipe_version__master")


def open_check_codes(site_id) -> set[str]:
    """The check codes of the site's open lots: none of them is given again."""
    return set(Lot.objects.filter(site_id=site_id, state__in=OPEN_STATES).values_list("check_code", flat=True))


def open_hold(lot: Lot) -> Hold | None:
    """The hold under which the lot stands now."""
    return Hold.objects.filter(lot=lot, state="open").select_related("placed_by").first()


def held_lots(lots: Sequence[Lot]) -> set:
    """The ids of those of these lots that are on hold. One query."""
    return set(Hold.objects.filter(lot__in=lots, state="open").values_list("lot_id", flat=True))


def lots_to_hold_for(material_lot: MaterialLot) -> list[Lot]:
    """The lots that have not ended, used this material lot and are not on hold yet, in the order in which lots are locked."""
    used = Consumption.objects.filter(material_lot=material_lot, superseded_by=None, quantity__gt=0).values("lot_id")
    return list(Lot.objects.filter(pk__in=used, state__in=OPEN_STATES).exclude(holds__state="open").order_by("id"))


def donations_of(lot: Lot) -> list[Donation]:
    """The donations that feed a lot, in the order they were added."""
    return list(Donation.objects.filter(lot_donations__lot=lot).order_by("lot_donations__recorded_at", "id"))


def containers_of(lot: Lot) -> list[Container]:
    """Every container of a lot, in the order they came to be."""
    return list(Container.objects.filter(lot=lot).select_related("donation").order_by("recorded_at", "id"))


def container(container_id) -> Container:
    """One container with its lot. Raises Missing."""
    found = Container.objects.filter(pk=container_id).select_related("lot__therapy_event__patient", "lot__recipe_version", "donation").first()
    if found is None:
        raise Missing("not_found", "There is no such container here.")
    return found


def container_of(scanned: Scanned) -> Container | None:
    """The container a scan names; None when it names something else or nothing that is known here."""
    if scanned.kind is not ScanKind.CONTAINER:
        return None
    return Container.objects.filter(identifier=scanned.value).select_related("lot", "donation").first()


def container_scanned(text: str) -> Container:
    """The container whose full identifier was scanned or typed. Raises IdentifierRefused, WrongScan("container_unknown")."""
    found = container_of(parse_scan(text))
    if found is None:
        raise WrongScan("container_unknown", "This label belongs to no container known here. Scan the label on the container.")
    return found


def event_by_coi(coi: str) -> TherapyEvent:
    """The therapy event of a chain-of-identity identifier. Raises Missing."""
    return TherapyEvent.objects.one(coi=coi.strip())


def event_of_patient(patient_id) -> list[TherapyEvent]:
    """The therapy events of a patient, newest first."""
    return list(TherapyEvent.objects.filter(patient_id=patient_id).order_by("-id"))


def siblings_of(lot: Lot) -> list[Lot]:
    """Other lots of the same therapy event: remade lots, second doses."""
    return list(Lot.objects.filter(therapy_event=lot.therapy_event).exclude(pk=lot.pk).order_by("id"))


def handled_by(donation: Donation) -> set:
    """Who collected and received a donation, by id."""
    rows = donation.history.filter(state__in=["collected", "received"]).values_list("history_user_id", flat=True)
    return set(rows)


def typed_identities(lot: Lot) -> list[Signature]:
    """Every identifier typed for the lot outside its steps, by the signature of its second person, oldest first; steps keep scans of their own."""
    donations = Donation.objects.filter(lot_donations__lot=lot).values("id")
    outside = (Container._meta.label_lower, Donation._meta.label_lower)
    found = Signature.objects.filter(Q(lot_id=lot.pk) | Q(record_id__in=donations), meaning__in=TYPED_MEANINGS, record_type__in=outside)
    return list(found.select_related("by").order_by("recorded_at"))


# --- what is signed -----------------------------------------------------------------------------------------------------


def identity_content(lot: Lot) -> dict:
    """How a lot is named in everything that is signed: number, check code, chain of identity; never the patient."""
    return {"lot": lot.number, "check_code": lot.check_code, "coi": lot.therapy_event.coi, "product": lot.product, "market": lot.market}


def course_content(lot: Lot, decision: str, reason_code: str = "", *, reason: str = "") -> dict:
    """What is signed when a lot is held or ended; `reason` in the signer's words, "" while nothing is typed."""
    content = identity_content(lot) | {"state": lot.state, "decision": decision, "reason": reason.strip()}
    if reason_code:
        content |= {"reason_code": reason_code, "reason_words": TERMINATION_REASONS.get(reason_code, "")}
    return content


def course_subject(lot: Lot, decision: str, reason_code: str = "", *, reason: str = "") -> ceremony.Subject:
    return ceremony.subject(lot, "lot_course/2", course_content(lot, decision, reason_code, reason=reason))


def typed_subject(record: Container | Donation, typed: str) -> ceremony.Subject:
    """What a second person signs who read an identifier that could not be scanned."""
    return ceremony.subject(record, "typed_identity/1", {"needed": str(record), "identifier": typed.strip()})


def hold_content(hold: Hold, reason: str = "") -> dict:
    """What is signed when a hold is ended."""
    return identity_content(hold.lot) | {"hold": str(hold.pk), "reason_of_hold": hold.reason, "decision": "resume", "reason": reason.strip()}


def hold_subject(hold: Hold, reason: str = "") -> ceremony.Subject:
    return ceremony.subject(hold, "hold/2", hold_content(hold, reason))


def decision_content(donation: Donation, accept: bool, reason: str = "") -> dict:
    """What QA signs about a donation."""
    return {
        "din": donation.din,
        "coi": donation.therapy_event.coi,
        "state": donation.state,
        "collected_at": donation.collected_at.isoformat() if donation.collected_at else "",
        "decision": "accept as starting material" if accept else "reject",
        "reason": reason.strip(),
    }


def decision_subject(donation: Donation, accept: bool, reason: str = "") -> ceremony.Subject:
    return ceremony.subject(donation, "donation_decision/2", decision_content(donation, accept, reason))
