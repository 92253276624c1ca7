"""Reading materials: what is left, what is usable, and which lot went where (genealogy both ways). 21 CFR 211.184; COI-05, MAT-05."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet, Sum

from batches.materials.models import Consumption, Material, MaterialLot
from mes.errors import RuleBroken, WrongScan
from mes.signatures import ceremony


@dataclass(frozen=True)
class StockLine:
    """A material lot with what is left of it."""

    lot: MaterialLot
    left: Decimal

    @property
    def percent_left(self) -> int:
        return int(self.left * 100 / self.lot.quantity)


@dataclass(frozen=True)
class Use:
    """A taking that stands, with when it was first recorded: the moment at which the material had to be fit for use."""

    line: Consumption
    since: dt.datetime


def materials() -> list[Material]:
    """Every material of the site, by name."""
    return list(Material.objects.order_by("name"))


def stock(rows: QuerySet | None = None) -> list[StockLine]:
    """Material lots with what is left, soonest expiry first. Two queries."""
    rows = MaterialLot.objects.all() if rows is None else rows
    lots = list(rows.select_related("material").order_by("expires_at", "id"))
    sums = Consumption.objects.filter(material_lot__in=lots, superseded_by=None).values("material_lot").annotate(taken=Sum("quantity"))
    taken = {each["material_lot"]: each["taken"] for each in sums}
    return [StockLine(lot, lot.quantity - taken.get(lot.pk, Decimal(0))) for lot in lots]


def left(material_lot: MaterialLot) -> Decimal:
    """What is left, computed from what was taken; corrections count, what they superseded does not."""
    return stock(MaterialLot.objects.filter(pk=material_lot.pk))[0].left


def usable_lots(material_code: str, at: dt.datetime) -> list[StockLine]:
    """Released lots in date with something left, soonest expiry first: what to offer instead of a refused one."""
    rows = MaterialLot.objects.filter(material__code=material_code, state="released", expires_at__gt=at)
    return [line for line in stock(rows) if line.left > 0]


def find_lot(value: str, *, material_code: str = "") -> MaterialLot:
    """The material lot that a scanned value names: its identifier, or the supplier's lot number.

    Raises WrongScan("material_unknown"), RuleBroken("material_ambiguous") when two materials have that number.
    """
    rows = MaterialLot.objects.select_related("material")
    found = rows.filter(identifier=value).first()
    if found:
        return found
    named = list(rows.filter(number=value))
    wanted = [lot for lot in named if lot.material.code == material_code]
    if len(wanted) == 1:
        return wanted[0]
    if len(named) > 1:
        raise RuleBroken("material_ambiguous", f"Two materials have a lot {value}. Scan our own label on the box.")
    if not named:
        raise WrongScan("material_unknown", "This label belongs to no material lot that was received here. Bring it to receiving.")
    return named[0]


def received_by(material_lot: MaterialLot):
    """The id of the person who took the lot into stock."""
    return material_lot.history.order_by("version").values_list("history_user_id", flat=True).first()


def used_in(material_lot: MaterialLot) -> list[Consumption]:
    """Forwards: every taking of this material lot that stands, oldest first, with lot and step."""
    rows = Consumption.objects.filter(material_lot=material_lot, superseded_by=None)
    return list(rows.select_related("lot", "step_run", "by").order_by("recorded_at"))


def went_into(lot) -> list[Consumption]:
    """Backwards: every material that stands in a lot's record, oldest first, with its material lot."""
    rows = Consumption.objects.filter(lot=lot, superseded_by=None)
    return list(rows.select_related("material_lot__material", "step_run", "by").order_by("recorded_at"))


def uses_in(lot) -> list[Use]:
    """What went into a lot, each judged from its first taking: a correction changes how much was taken, never when (21 CFR 211.184(c)).

    What was taken back to zero was not used.
    """
    rows = {each.pk: each for each in Consumption.objects.filter(lot=lot).select_related("material_lot__material").order_by("recorded_at")}
    replaced = {each.supersedes_id for each in rows.values()}
    uses = []
    for each in rows.values():
        if each.pk in replaced or not each.quantity:
            continue
        first = each
        while first.supersedes_id is not None:
            first = rows[first.supersedes_id]
        uses.append(Use(each, first.recorded_at))
    return uses


def troubled(lot) -> list[MaterialLot]:
    """Material lots of this lot's record that were blocked or rejected since: each one a matter for QA."""
    rows = MaterialLot.objects.filter(consumptions__lot=lot, consumptions__superseded_by=None, state__in=["blocked", "rejected"])
    return list(rows.select_related("material").distinct())


def release_content(material_lot: MaterialLot) -> dict:
    """What is signed when a material lot is released."""
    return {
        "material": {"code": material_lot.material.code, "name": material_lot.material.name},
        "lot": material_lot.number,
        "identifier": material_lot.identifier,
        "supplier": material_lot.supplier,
        "quantity": f"{material_lot.quantity.normalize():f} {material_lot.unit}",
        "expires_at": material_lot.expires_at.astimezone(dt.UTC).isoformat(),
        "state": material_lot.state,
        "decision": "release for use",
    }


def release_subject(material_lot: MaterialLot) -> ceremony.Subject:
    """What the releasing signature covers: the same for showing and for signing."""
    return ceremony.subject(material_lot, "material_release/1", release_content(material_lot))
