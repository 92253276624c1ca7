"""Deeds on materials and their lots."""

from __future__ import annotations

import datetime as dt
import re

from batches.events import Event
from batches.materials import queries, rules
from batches.materials.models import Material, MaterialLot
from batches.permissions import Permission
from batches.recipes.quantities import read_value
from batches.recipes.units import parse_unit
from mes.people.models import Site
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import ceremony
from mes.signatures.services import sign


@service(Event.MATERIAL_DEFINED)
def define_material(*, by: Actor, code: str, name: str, unit: str, role: str) -> Material:
    """Define a material by the code that recipes use. `unit` is what it is counted in; raises UnitRefused for an unknown one."""
    rules.check_can_define_material(by=by, code=code, name=name, role=role)
    parse_unit(unit)
    material = Material(site_id=by.site_id, code=code, name=name.strip(), unit=unit.strip(), role=role)
    material.save()
    return material


@service(Event.MATERIAL_LOT_RECEIVED)
def receive_lot(
    *,
    by: Actor,
    material_id,
    number: str,
    supplier: str,
    expires_at: dt.datetime,
    quantity: str,
    unit: str = "",
    identifier: str = "",
    demo: bool = False,
) -> MaterialLot:
    """Take a lot into quarantine. `quantity` is the text as typed, in the material's unit; without an `identifier` it gets one.

    Raises ValueRefused for a quantity that cannot be read or has another unit, and what rules.check_can_receive_lot raises.
    """
    material = Material.objects.one(pk=material_id)
    sign = Site.objects.values_list("decimal_sign", flat=True).get(pk=by.site_id)
    read = read_value(quantity, "decimal", unit=material.unit, given_unit=unit or None, decimals=6, decimal_sign=sign)
    number = number.strip()
    identifier = identifier.strip() or _identifier(by, material, number)
    rules.check_can_receive_lot(by=by, material=material, number=number, identifier=identifier, quantity=read.value, expires_at=expires_at)
    material_lot = MaterialLot(
        site_id=by.site_id, material=material, number=number, identifier=identifier, supplier=supplier.strip(),
        expires_at=expires_at, quantity=read.value, unit=material.unit, demo=demo,
    )  # fmt: skip
    material_lot.save()
    return material_lot


def _identifier(by: Actor, material: Material, number: str) -> str:
    # The site's code is unique, the material's within the site, the number within the material: so is the whole.
    site = re.sub(r"[^A-Za-z0-9]", "", Site.objects.get(pk=by.site_id).code)
    return f"{site}.{material.code}.{number}"[:80]


@service(Event.MATERIAL_LOT_RELEASED)
def release_lot(*, by: Actor, material_lot_id, seen: int, proof: ceremony.Proof) -> MaterialLot:
    """QA releases a lot from quarantine, or from a block, by signature. 21 CFR 211.84(e)."""
    material_lot = MaterialLot.objects.lock(material_lot_id, seen=seen)
    rules.check_can_release_lot(by=by, proof=proof, material_lot=material_lot, received_by=queries.received_by(material_lot), at=deed_now().at)
    sign(
        by=by, proof=proof, what=queries.release_subject(material_lot), meaning="released_material", stream=material_lot.stream,
        permission=Permission.RELEASE_MATERIAL,
    )  # fmt: skip
    material_lot.state, material_lot.state_reason = "released", ""
    material_lot.save()
    return material_lot


@service(Event.MATERIAL_LOT_REJECTED)
def reject_lot(*, by: Actor, material_lot_id, seen: int, reason: str) -> MaterialLot:
    """QA rejects a lot; it can never be used."""
    material_lot = MaterialLot.objects.lock(material_lot_id, seen=seen)
    rules.check_can_reject_lot(by=by, material_lot=material_lot, reason=reason)
    return _move(material_lot, "rejected", reason)


@service(Event.MATERIAL_LOT_BLOCKED)
def block_lot(*, by: Actor, material_lot_id, seen: int, reason: str) -> MaterialLot:
    """Stop a released lot at once: complaint, recall, doubt. Only a new release lets it go on."""
    material_lot = MaterialLot.objects.lock(material_lot_id, seen=seen)
    rules.check_can_block_lot(by=by, material_lot=material_lot, reason=reason)
    return _move(material_lot, "blocked", reason)


def _move(material_lot: MaterialLot, state: str, reason: str) -> MaterialLot:
    material_lot.state, material_lot.state_reason = state, reason.strip()
    material_lot.save()
    return material_lot
