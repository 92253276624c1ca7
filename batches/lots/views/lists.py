"""Every lot of the site, and the form that orders one."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.http import HttpResponse

from batches.lots import forms, queries, services
from batches.lots.states import LOT_WORDS
from batches.permissions import Permission
from batches.recipes.queries import effective_versions
from batches.subjects.identity import read_identity_fields
from batches.subjects.services import enter_patient
from mes.clock import day_words, hour_words
from mes.records.context import site_context
from mes.web.pages import Page

TABS = {"open": "Open", "ended": "Ended", "all": "All"}


class LotsPage(Page):
    """Lots by check code and number, open ones first."""

    permission = Permission.READ_LOTS
    template_name = "batches/lots/list.html"
    title = "Lots"

    def read(self) -> dict:
        show = self.request.GET.get("show", "open")
        ended = sorted(set(LOT_WORDS) - set(queries.OPEN_STATES))
        rows = queries.lots(states={"open": queries.OPEN_STATES, "ended": ended}.get(show, ()))
        held = queries.held_lots(rows)
        return {
            "heading": "Lots",
            "caption": "Lots of this site",
            "columns": ["Lot", "Check code", "Product", "Chain of identity", "Centre", "Ordered", "State"],
            "rows": [self.row(lot, lot.pk in held) for lot in rows],
            "table_id": "lots",
            "tabs": [{"label": words, "url": f"/lots/?show={code}", "current": code == show} for code, words in TABS.items()],
            "may_order": Permission.ORDER_LOT in self.request.rights,
            "empty_title": "No lot here.",
            "empty_text": "A lot appears when a scheduler orders it.",
        }

    def row(self, lot, is_held: bool) -> dict:
        state = {"word": "On hold", "state": "hold", "sub": LOT_WORDS[lot.state]} if is_held else {"text": LOT_WORDS[lot.state]}
        return {
            "url": f"/lots/{lot.number}/",
            "state": "hold" if is_held else "",
            "cells": [
                {"text": lot.number, "mono": True, "sub": "demo lot" if lot.demo else ""},
                {"text": lot.check_code, "mono": True},
                {"text": lot.recipe_version.master.product_name, "sub": f"{lot.recipe_version.master.code} {lot.recipe_version.label}"},
                {"text": lot.therapy_event.coi, "mono": True},
                {"text": lot.therapy_event.treatment_centre},
                {"text": day_words(lot.recorded_at, self.zone), "sub": hour_words(lot.recorded_at, self.zone)},
                state,
            ],
        }

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.request.site.time_zone)


class OrderPage(Page):
    """Order a lot: the patient goes into the vault, the lot begins with pseudonym and chain of identity."""

    permission = Permission.ORDER_LOT
    template_name = "batches/lots/order.html"
    title = "Order a lot"

    def read(self) -> dict:
        typed = self.typed or None
        return {
            "heading": "Order a lot",
            "lead": "The patient's identity goes into the vault. Everything else shows the pseudonym and the chain of identity.",
            "patient_form": forms.PatientForm(initial=typed),
            "order_form": forms.OrderForm(initial=typed, versions=effective_versions()),
            "asks_namesake": bool(typed) and ((self.refusal is not None and self.refusal.code == "namesake") or "namesake" in (typed or {})),
            "ok": "Order the lot",
            "back_url": "/lots/",
            "back_label": "Back to the lots",
        }

    def post(self, request) -> HttpResponse:
        patient = forms.PatientForm(request.POST)
        with site_context(self.by.site_id):
            order = forms.OrderForm(request.POST, versions=effective_versions())
        if not (patient.is_valid() & order.is_valid()):
            return self.show(422, patient_form=patient, order_form=order)
        typed = order.cleaned_data
        identity = read_identity_fields(**{name: patient.cleaned_data[name] for name in forms.PatientForm.IDENTITY})
        entered = self.do(enter_patient, identity=identity, namesake=patient.cleaned_data["namesake"])
        lot = self.do(services.order_lot, patient_id=entered.pk, recipe_version_id=typed.pop("recipe"), **typed)
        self.say(f"Lot {lot.number} is ordered. Its check code is {lot.check_code}.")
        return self.done(f"/lots/{lot.number}/")
