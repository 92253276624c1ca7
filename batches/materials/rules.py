"""When a material lot may be received, released, blocked or used. 21 CFR 211.80 to 211.94, 211.110(c)."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from batches.materials import queries
from batches.materials.models import Material, MaterialLot
from batches.permissions import Permission
from batches.recipes.units import agrees
from mes.clock import moment_words
from mes.errors import NotAllowed, RuleBroken, UnreadableInput
from mes.people import rules as people
from mes.records.actors import Actor
from mes.signatures.ceremony import Proof

ROLES = {
    "starting": "Starting material",
    "raw": "Raw material",
    "ancillary": "Ancillary material",
    "consumable": "Single-use equipment",
}
CODE = re.compile(r"[a-z][a-z0-9_]{1,59}")
NUMBER = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*._/\-]{0,59}")
LARGEST = Decimal("1e12")


def check_can_define_material(*, by: Actor, code: str, name: str, role: str) -> None:
    """Raises NotAllowed, RuleBroken: `material_code_taken`, `material_role`; UnreadableInput: `code_shape`, `name_missing`."""
    people.check_may(by, Permission.MANAGE_MATERIALS)
    if not CODE.fullmatch(code):
        raise UnreadableInput(
            "code_shape", "A code has 2 to 60 small letters, digits and underscores and begins with a letter, as recipes write it.", field="code"
        )
    if not name.strip():
        raise UnreadableInput("name_missing", "The material needs a name. Type it as the supplier writes it.", field="name")
    if role not in ROLES:
        raise UnreadableInput("material_role", f"The role is one of: {', '.join(ROLES)}.", field="role")
    if Material.objects.filter(site_id=by.site_id, code=code).exists():
        raise RuleBroken("material_code_taken", f"The code {code} is defined here already. Receive lots of it, or choose another code.", field="code")


def check_can_receive_lot(*, by: Actor, material: Material, number: str, identifier: str, quantity: Decimal, expires_at: dt.datetime) -> None:
    """Raises NotAllowed, UnreadableInput: `number_shape`, `quantity_not_positive`, `zone_missing`; RuleBroken: `material_lot_known`."""
    people.check_may(by, Permission.MANAGE_MATERIALS)
    if not NUMBER.fullmatch(number):
        raise UnreadableInput("number_shape", "A lot number has 1 to 60 letters, digits and * . _ / - without blanks. Type it as on the box.", field="number")
    if expires_at.tzinfo is None:
        raise UnreadableInput("zone_missing", "The expiry needs a time zone.", field="expires_at")
    if not 0 < quantity < LARGEST:
        raise UnreadableInput("quantity_not_positive", "The quantity received is more than zero. Count again and type it.", field="quantity")
    if MaterialLot.objects.filter(material=material, number=number).exists() or MaterialLot.objects.filter(identifier=identifier).exists():
        raise RuleBroken("material_lot_known", f"Lot {number} of {material.name} was received before. Look at it in the list.", field="number")


def check_can_release_lot(*, by: Actor, proof: Proof, material_lot: MaterialLot, received_by, at: dt.datetime) -> None:
    """Raises NotAllowed (`not_your_role`, `same_person`), RuleBroken: `material_expired`, `state_move`. 21 CFR 211.84, 211.22."""
    people.check_person_may(proof.user, Permission.RELEASE_MATERIAL, by.site_id)
    if proof.user.pk == received_by:
        raise NotAllowed("same_person", f"{proof.user.full_name} received this lot. Somebody else decides on its release.")
    if material_lot.expires_at <= at:
        ended = moment_words(material_lot.expires_at, material_lot.site.time_zone)
        raise RuleBroken("material_expired", f"Lot {material_lot.number} expired on {ended}. Reject it.")
    check_state(material_lot, "released")


def check_can_reject_lot(*, by: Actor, material_lot: MaterialLot, reason: str) -> None:
    people.check_may(by, Permission.RELEASE_MATERIAL)
    _check_reason(reason)
    check_state(material_lot, "rejected")


def check_can_block_lot(*, by: Actor, material_lot: MaterialLot, reason: str) -> None:
    """Whoever manages or releases material may stop it; only QA lets it go on."""
    if not people.may(by.user_id, Permission.RELEASE_MATERIAL, by.site_id):
        people.check_may(by, Permission.MANAGE_MATERIALS)
    _check_reason(reason)
    check_state(material_lot, "blocked")


def check_state(material_lot: MaterialLot, to: str) -> None:
    """Raises RuleBroken("state_move") when the lot cannot move there."""
    if material_lot.state == to:
        raise RuleBroken("state_move", f"Lot {material_lot.number} is {to} already.")
    MaterialLot.states.check_move(material_lot.state, to)


def _check_reason(reason: str) -> None:
    if len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", "This needs a reason in your words.", field="reason")


def check_usable(material_lot: MaterialLot, quantity: Decimal, unit: str, at: dt.datetime, *, material_code: str = "", left: Decimal | None = None) -> None:
    """Whether so much of this lot may go into a step now. MAT-01; 21 CFR 211.84(a), 211.101(b).

    Call it with the material lot locked, so that two steps cannot take the same rest. `material_code` is the code the step
    asks for; `left` what queries.left() gave, computed when None. Raises RuleBroken: `material_wrong`,
    `material_in_quarantine`, `material_blocked`, `material_rejected`, `material_expired`, `wrong_unit`,
    `quantity_not_positive`, `material_used_up`.
    """
    material, name = material_lot.material, f"{material_lot.material.name}, lot {material_lot.number},"
    if material_code and material.code != material_code:
        raise RuleBroken("material_wrong", f"This is {name} and the step needs {material_code}. Put it back and scan the right one.", security="wrong_scan")
    words = {
        "quarantine": ("material_in_quarantine", "is in quarantine. Take a released lot, or ask QA to release this one."),
        "blocked": ("material_blocked", "is blocked. Put it aside and take another lot."),
        "rejected": ("material_rejected", "was rejected. Put it aside and take another lot."),
    }
    if material_lot.state in words:
        code, sentence = words[material_lot.state]
        raise RuleBroken(code, f"{name} {sentence}")
    if material_lot.expires_at <= at:
        raise RuleBroken("material_expired", f"{name} expired on {moment_words(material_lot.expires_at, material_lot.site.time_zone)}. Take another lot.")
    if not agrees(unit, material_lot.unit):
        raise RuleBroken("wrong_unit", f"{name} is counted in {material_lot.unit}, not in {unit}. Type the quantity in {material_lot.unit}.", field="unit")
    if quantity <= 0:
        raise RuleBroken("quantity_not_positive", "The quantity taken is more than zero. Type what was taken.", field="quantity")
    check_enough(material_lot, quantity, left=left)


def check_enough(material_lot: MaterialLot, quantity: Decimal, *, left: Decimal | None = None) -> None:
    """Whether so much is left, in the material lot's unit. Raises RuleBroken("material_used_up")."""
    rest = queries.left(material_lot) if left is None else left
    if quantity > rest:
        raise RuleBroken(
            "material_used_up",
            f"{material_lot.material.name}, lot {material_lot.number}, has {rest.normalize():f} {material_lot.unit} left, and {quantity:f} are asked for. "
            "Take a second lot for the rest.",
            field="quantity",
        )
