"""Pages on materials: stock, receipt, one material lot with its genealogy, its release."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.http import HttpResponse

from batches.materials import forms, queries, services
from batches.materials.models import MaterialLot
from batches.materials.rules import ROLES
from batches.permissions import Permission
from batches.recipes.quantities import read_value
from mes.clock import day_words, hour_words, moment_words, record_now
from mes.errors import Missing
from mes.records.context import site_context
from mes.signatures.pages import SigningPage
from mes.signatures.queries import signatures_of
from mes.web.pages import Page
from mes.words import counted

WORDS = {"quarantine": "In quarantine", "released": "Released", "blocked": "Blocked", "rejected": "Rejected"}
SOON_DAYS = 30


def standing(material_lot: MaterialLot, left, now) -> dict:
    """State and word of a material lot as a list shows it; one state a row, the worst first."""
    if material_lot.state == "rejected":
        return {"text": "Rejected"}
    if material_lot.state == "blocked":
        return {"word": "Blocked", "state": "hold"}
    if material_lot.expires_at <= now:
        return {"word": "Expired", "state": "alarm"}
    if material_lot.state == "quarantine":
        return {"word": "In quarantine", "state": "pending"}
    if left <= 0:
        return {"text": "Used up"}
    if (material_lot.expires_at - now).days < SOON_DAYS:
        days = (material_lot.expires_at - now).days
        return {"word": f"Expires in {days} d" if days else "Expires today", "state": "warn"}
    return {"text": "Released"}


class MaterialsPage(Page):
    """Stock, soonest expiry first."""

    permission = Permission.READ_LOTS
    template_name = "batches/materials/list.html"
    title = "Materials"

    def read(self) -> dict:
        now, zone = record_now(), ZoneInfo(self.request.site.time_zone)
        rows = []
        for line in queries.stock():
            state = standing(line.lot, line.left, now)
            rows.append(
                {
                    "url": f"/materials/lots/{line.lot.pk}/",
                    "state": state.get("state", "") if state.get("state") in {"alarm", "warn", "hold"} else "",
                    "cells": [
                        {"text": line.lot.material.name, "sub": line.lot.material.code},
                        {"text": line.lot.number, "mono": True, "sub": line.lot.supplier},
                        {"text": day_words(line.lot.expires_at, zone), "sub": hour_words(line.lot.expires_at, zone)},
                        {"text": f"{line.left.normalize():f}", "unit": line.lot.unit, "number": True, "sub": f"of {line.lot.quantity.normalize():f}"},
                        state,
                    ],
                }
            )
        return {
            "heading": "Materials",
            "caption": "Material lots, soonest expiry first",
            "columns": ["Material", "Lot", "Expires", {"label": "Left", "number": True}, "State"],
            "rows": rows,
            "table_id": "materials",
            "may_manage": Permission.MANAGE_MATERIALS in self.request.rights,
            "empty_title": "No material here.",
            "empty_text": "Material appears when receiving takes a lot into quarantine.",
        }


class FormPage(Page):
    """A form that makes one thing."""

    permission = Permission.MANAGE_MATERIALS
    template_name = "batches/materials/form.html"
    form_class = forms.MaterialForm

    def form_for(self, data=None, initial=None):
        return self.form_class(data, initial=initial)

    def read(self, **kwargs) -> dict:
        return {"form": self.form_for(initial=self.typed or None), "back_url": "/materials/", "back_label": "Back to the materials"}

    def post(self, request, **kwargs) -> HttpResponse:
        with site_context(self.by.site_id):
            form = self.form_for(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        return self.write(form.cleaned_data)

    def write(self, typed: dict) -> HttpResponse:
        raise NotImplementedError


class DefinePage(FormPage):
    """Define a material."""

    title = "Define a material"

    def read(self) -> dict:
        known = queries.materials()
        return super().read() | {
            "heading": self.title,
            "ok": "Define it",
            "lead": f"{counted(len(known), 'material is', 'materials are')} defined. Recipes name them by code.",
        }

    def write(self, typed: dict) -> HttpResponse:
        material = self.do(services.define_material, **typed)
        self.say(f"{material.name} is defined.")
        return self.done("/materials/receive/")


class ReceivePage(FormPage):
    """Take a material lot into quarantine."""

    title = "Receive a material lot"
    form_class = forms.ReceiveForm

    def form_for(self, data=None, initial=None):
        return forms.ReceiveForm(data, initial=initial, materials=queries.materials())

    def read(self) -> dict:
        return super().read() | {"heading": self.title, "ok": "Take into quarantine", "lead": "It stays in quarantine until QA releases it."}

    def write(self, typed: dict) -> HttpResponse:
        zone = ZoneInfo(self.request.site.time_zone)
        typed["expires_at"] = read_value(typed["expires_at"], "datetime", zone=zone).content
        lot = self.do(services.receive_lot, material_id=typed.pop("material"), demo=self.request.site.demo, **typed)
        self.say(f"Lot {lot.number} is in quarantine.")
        return self.done(f"/materials/lots/{lot.pk}/")


class MaterialLotPage(Page):
    """One material lot: where it stands and which lots of patients it went into."""

    permission = Permission.READ_LOTS
    template_name = "batches/materials/detail.html"
    title = "Material lot"

    def material_lot(self) -> MaterialLot:
        found = MaterialLot.objects.filter(pk=self.kwargs["lot_id"]).select_related("material").first()
        if found is None:
            raise Missing("not_found", "There is no such material lot here.")
        return found

    def read(self, lot_id) -> dict:
        lot, now, rights = self.material_lot(), record_now(), self.request.rights
        left = queries.left(lot)
        state, moves = standing(lot, left, now), MaterialLot.states.moves[lot.state]
        used = queries.used_in(lot)
        zone = ZoneInfo(self.request.site.time_zone)
        return {
            "page_title": f"{lot.material.name} {lot.number}",
            "heading": f"{lot.material.name}, lot {lot.number}",
            "status_state": state.get("state", ""),
            "status_word": state.get("word") or state["text"],
            "material_lot": lot,
            "pairs": [
                {"k": "Identifier", "v": lot.identifier, "mono": True},
                {"k": "Code", "v": lot.material.code, "mono": True},
                {"k": "Role", "v": ROLES.get(lot.material.role, lot.material.role)},
                {"k": "Supplier", "v": lot.supplier},
                {"k": "Expires", "v": moment_words(lot.expires_at, zone)},
                {"k": "Received", "v": f"{lot.quantity.normalize():f}", "unit": lot.unit},
                {"k": "Left", "v": f"{left.normalize():f}", "unit": lot.unit},
                {"k": "State", "v": WORDS[lot.state] + (f": {lot.state_reason}" if lot.state_reason else "")},
            ],
            "used": used,
            "lots_touched": len({each.lot_id for each in used}),
            "signatures": signatures_of([lot.pk]),
            "may_release": Permission.RELEASE_MATERIAL in rights and "released" in moves,
            "may_reject": Permission.RELEASE_MATERIAL in rights and "rejected" in moves,
            "may_block": bool({Permission.RELEASE_MATERIAL, Permission.MANAGE_MATERIALS} & set(rights)) and "blocked" in moves,
        }


class StopPage(MaterialLotPage):
    """Block or reject a material lot, with a reason."""

    permission = (Permission.RELEASE_MATERIAL, Permission.MANAGE_MATERIALS)
    template_name = "batches/materials/form.html"
    title = "Stop a material lot"

    ACTS = {"block": ("Block", services.block_lot), "reject": ("Reject", services.reject_lot)}

    def act(self):
        if self.kwargs["act"] not in self.ACTS:
            raise Missing("not_found", "There is no such act.")
        return self.ACTS[self.kwargs["act"]]

    def read(self, lot_id, act: str) -> dict:
        lot, words = self.material_lot(), self.act()[0]
        return {
            "heading": f"{words} {lot.material.name}, lot {lot.number}",
            "form": forms.ReasonForm(initial=self.typed or None),
            "seen": lot.version,
            "ok": f"{words} it",
            "back_url": f"/materials/lots/{lot.pk}/",
            "back_label": "Back to the lot",
        }

    def post(self, request, lot_id, act: str) -> HttpResponse:
        form = forms.ReasonForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        text = request.POST.get("seen", "")
        self.do(self.act()[1], material_lot_id=lot_id, seen=int(text) if text.isdecimal() else 0, reason=form.cleaned_data["reason"])
        self.say("Recorded. The lot can no longer be used at a step.")
        return self.done(f"/materials/lots/{lot_id}/")


class ReleasePage(SigningPage):
    """QA releases a material lot, by signature."""

    permission, meaning, title = Permission.RELEASE_MATERIAL, "released_material", "Release a material lot"
    LABELS = {
        "lot": "Lot",
        "identifier": "Identifier",
        "supplier": "Supplier",
        "quantity": "Quantity",
        "expires_at": "Expires",
        "state": "State",
        "decision": "Decision",
    }

    def material_lot(self) -> MaterialLot:
        found = MaterialLot.objects.filter(pk=self.kwargs["lot_id"]).select_related("material").first()
        if found is None:
            raise Missing("not_found", "There is no such material lot here.")
        return found

    def what(self, lot_id):
        return queries.release_subject(self.material_lot())

    def summary(self, lot_id) -> dict:
        lot = self.material_lot()
        content = queries.release_content(lot)
        shown = content | {"expires_at": moment_words(lot.expires_at, self.request.site.time_zone), "state": WORDS[content["state"]]}
        rows = [{"label": "Material", "value": f"{content['material']['name']} ({content['material']['code']})"}]
        return {
            "title": f"Release {lot.material.name}, lot {lot.number}",
            "rows": rows + [{"label": words, "value": shown[name] or "–"} for name, words in self.LABELS.items()],
            "foot": "Whoever received the lot does not release it.",
            "back_label": "Back to the lot",
            "back_url": f"/materials/lots/{lot.pk}/",
        }

    def sign(self, proof, lot_id):
        with site_context(self.by.site_id):
            seen = self.material_lot().version
        return self.do(services.release_lot, material_lot_id=lot_id, seen=seen, proof=proof)

    def done_url(self, result, lot_id) -> str:
        return f"/materials/lots/{lot_id}/"
