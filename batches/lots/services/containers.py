"""Containers: made by the recipe's code, moved through their states."""

from __future__ import annotations

import os
import re

from batches.events import Event
from batches.lots import rules
from batches.lots.identifiers import SERIAL_BYTES, new_container
from batches.lots.models import Container, Donation, Lot
from batches.recipes.document.schema import Container as ContainerLine
from batches.recipes.queries import document
from mes.people.models import Site
from mes.records.actors import Actor
from mes.records.door import service


def issuer_of(site: Site) -> str:
    """The site's code as identifiers take it: 2 to 8 capital letters and digits."""
    return re.sub(r"[^A-Z0-9]", "", site.code.upper())[:8].ljust(2, "0")


@service(Event.CONTAINER_MADE)
def make_container(*, by: Actor, lot_id, code: str, donation: Donation | None = None, state: str = "in_use", volume: str = "") -> Container:
    """A new container of the lot, of one of the recipe's container codes, with an identifier of its own.

    Raises RuleBroken: `container_not_in_recipe`, `lot_on_hold`, `lot_not_open_for_work`.
    """
    lot = Lot.objects.lock(lot_id)
    recipe = document(lot.recipe_version)
    rules.check_can_make_container(by=by, lot=lot, recipe=recipe, code=code)
    line = next(each for each in recipe.containers if each.code == code)
    return write_container(by, lot, line, donation=donation, state=state, volume=volume)


def write_container(by: Actor, lot: Lot, line: ContainerLine, *, donation=None, state: str = "expected", volume: str = "") -> Container:
    """Write a container inside an open deed; the lot is locked or new."""
    serial = Container.objects.filter(lot=lot, code=line.code).count() + 1
    container = Container(
        site_id=by.site_id, lot=lot, donation=donation, code=line.code, serial=serial, kind=line.kind, state=state, volume_text=volume,
        title=line.title if serial == 1 else f"{line.title} {serial}",
        identifier=new_container(issuer_of(Site.objects.get(pk=by.site_id)), os.urandom(SERIAL_BYTES)),
    )  # fmt: skip
    container.save()
    return container


@service(Event.CONTAINER_MOVED)
def move_container(*, by: Actor, container_id, state: str, volume: str | None = None) -> Container:
    """Move a container to another state, inside the deed that does it (label, step, hand-over, use)."""
    container = Container.objects.lock(container_id)
    rules.check_can_move_container(by=by, container=container, state=state)
    container.state = state
    if volume is not None:
        container.volume_text = volume
    container.save()
    return container
