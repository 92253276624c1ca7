"""What lots hang onto at start: the line of the navigation, what a scan leads to, the names of streams."""

import uuid

from django.db.models import Q

from batches.events import Event
from batches.lots import queries
from batches.lots.identifiers import IdentifierRefused, ScanKind, parse_scan
from batches.lots.models import Lot, TherapyEvent
from batches.lots.services import put_on_hold
from batches.permissions import Permission
from mes.audit import streams
from mes.records.door import receive
from mes.web import panels, scan_targets


def address_of(scanned: scan_targets.Scanned) -> str | None:
    """The page of the lot that a scan names: by lot number, check code, container, donation or chain of identity."""
    text = scanned.text.strip()
    lot = Lot.objects.filter(number__iexact=text).first() or Lot.objects.filter(check_code=text.upper(), state__in=queries.OPEN_STATES).first()
    if lot is not None:
        return f"/lots/{lot.number}/"
    try:
        read = parse_scan(text)
    except IdentifierRefused:
        return None
    if read.kind is ScanKind.CONTAINER:
        container = queries.container_of(read)
        lot = container and container.lot
    elif read.kind is ScanKind.DONATION:
        lot = Lot.objects.filter(lot_donations__donation__din=read.value).order_by("-id").first()
    elif read.kind is ScanKind.THERAPY_EVENT:
        lot = Lot.objects.filter(therapy_event__coi=read.value).order_by("-id").first()
    elif read.kind is ScanKind.LOT:
        lot = Lot.objects.filter(number=read.value).first()
    return f"/lots/{lot.number}/" if lot else None


def hold_lots_that_used(*, by, subject) -> None:
    """Receiver of MATERIAL_LOT_BLOCKED, inside the deed that blocks: no lot goes on with material that is in doubt. 21 CFR 211.192; MAT-01."""
    for lot in queries.lots_to_hold_for(subject):
        put_on_hold(by=by, lot_id=lot.pk, reason=f"{subject.material.name}, lot {subject.number}, which this lot used, was blocked: {subject.state_reason}")


def numbers(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(Lot.objects.filter(pk__in=ids).values_list("pk", "number"))


def identities(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(TherapyEvent.objects.filter(pk__in=ids).values_list("pk", "coi"))


def called(text: str) -> list[uuid.UUID]:
    """Lots by a part of their number, or by their whole check code."""
    return list(Lot.objects.filter(Q(number__icontains=text) | Q(check_code=text.upper())).values_list("pk", flat=True))


def register() -> None:
    streams.name_with("lot", numbers)
    streams.name_with("therapy_event", identities)
    streams.find_lots_with(called)
    receive(Event.MATERIAL_LOT_BLOCKED, hold_lots_that_used)
    panels.register_nav("Lots", "batches:lots:list", Permission.READ_LOTS, order=15)
    scan_targets.register(address_of, order=100)
