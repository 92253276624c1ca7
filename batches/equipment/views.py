"""Pages on equipment: the register, one piece with its use log, calibration, state."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.http import HttpResponse

from batches.equipment import forms, queries, services
from batches.equipment.models import Equipment
from batches.equipment.states import STATE_WORDS
from batches.permissions import Permission
from batches.recipes.quantities import read_value
from mes.clock import day_words, hour_words, moment_words, record_now
from mes.errors import Missing
from mes.records.context import site_context
from mes.web import panels
from mes.web.pages import Page

SOON_DAYS = 30


def word_of(standing: queries.Standing, now) -> dict:
    """State and word of a piece of equipment, the worst first."""
    if standing.equipment.state == "retired":
        return {"text": "Retired"}
    if standing.equipment.state == "out_of_service":
        return {"word": "Out of service", "state": "hold"}
    if standing.why_not:
        return {"word": standing.why_not, "state": "alarm"}
    days = (standing.equipment.calibrated_until - now).days
    if days < SOON_DAYS:
        return {"word": f"Calibration ends in {days} d" if days else "Calibration ends today", "state": "warn"}
    return {"text": "Holds a lot" if standing.occupancy else "Free"}


class EquipmentPage(Page):
    """Every piece of equipment with its calibration and the lot it holds."""

    permission = Permission.READ_LOTS
    template_name = "batches/equipment/list.html"
    title = "Equipment"

    def read(self) -> dict:
        now, zone = record_now(), ZoneInfo(self.request.site.time_zone)
        rows = []
        for each in queries.standings(now):
            until, shown = each.equipment.calibrated_until, word_of(each, now)
            held = each.occupancy
            rows.append(
                {
                    "url": f"/equipment/{each.equipment.pk}/",
                    "state": shown.get("state", ""),
                    "cells": [
                        {"text": each.equipment.code, "mono": True, "sub": each.equipment.name},
                        {"text": each.equipment.equipment_class.name, "sub": "shared" if each.equipment.shared else ""},
                        {"text": day_words(until, zone), "sub": hour_words(until, zone)},
                        {"text": held.lot.number if held else "–", "mono": bool(held), "sub": f"check code {held.lot.check_code}" if held else ""},
                        shown,
                    ],
                }
            )
        return {
            "heading": "Equipment",
            "caption": "Equipment of this site",
            "columns": ["Number", "Class", "Calibrated until", "Lot in it", "State"],
            "rows": rows,
            "table_id": "equipment",
            "may_manage": Permission.MANAGE_EQUIPMENT in self.request.rights,
            "empty_title": "No equipment here.",
            "empty_text": "Equipment appears when a supervisor registers it.",
        }


class FormPage(Page):
    """A form that makes or changes one thing."""

    permission = Permission.MANAGE_EQUIPMENT
    template_name = "batches/equipment/form.html"
    form_class = forms.ClassForm

    def form_for(self, data=None, initial=None):
        return self.form_class(data, initial=initial)

    def read(self, **kwargs) -> dict:
        return {"heading": self.title, "form": self.form_for(initial=self.typed or None), "back_url": "/equipment/", "back_label": "Back to the equipment"}

    def post(self, request, **kwargs) -> HttpResponse:
        with site_context(self.by.site_id):
            form = self.form_for(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        return self.write(form.cleaned_data, **kwargs)

    def write(self, typed: dict, **kwargs) -> HttpResponse:
        raise NotImplementedError

    def moment(self, text: str):
        """A typed date and time in the site's zone."""
        return read_value(text, "datetime", zone=ZoneInfo(self.request.site.time_zone)).content


class ClassPage(FormPage):
    """Define a kind of equipment."""

    title = "Define a class"

    def read(self) -> dict:
        return super().read() | {"ok": "Define it", "lead": "Recipes ask for equipment by the code of its class."}

    def write(self, typed: dict) -> HttpResponse:
        made = self.do(services.define_class, **typed)
        self.say(f"{made.name} is defined.")
        return self.done("/equipment/new/")


class RegisterPage(FormPage):
    """Register a piece of equipment."""

    title = "Register equipment"

    def form_for(self, data=None, initial=None):
        return forms.EquipmentForm(data, initial=initial, classes=queries.classes())

    def read(self) -> dict:
        return super().read() | {"ok": "Register it"}

    def write(self, typed: dict) -> HttpResponse:
        typed["calibrated_until"] = self.moment(typed["calibrated_until"])
        made = self.do(services.register_equipment, class_id=typed.pop("equipment_class"), **typed)
        self.say(f"{made} is registered.")
        return self.done(f"/equipment/{made.pk}/")


def equipment_of(equipment_id) -> Equipment:
    """One piece of equipment. Raises Missing. Call it inside the site context."""
    found = Equipment.objects.filter(pk=equipment_id).select_related("equipment_class").first()
    if found is None:
        raise Missing("not_found", "There is no such equipment here.")
    return found


class OneEquipmentPage(Page):
    """One piece of equipment: fit or not, the lot in it, its use log. 21 CFR 211.182."""

    permission = Permission.READ_LOTS
    template_name = "batches/equipment/detail.html"
    title = "Equipment"

    def read(self, equipment_id) -> dict:
        equipment, now = equipment_of(equipment_id), record_now()
        standing = queries.standing(equipment, now)
        shown, zone = word_of(standing, now), ZoneInfo(self.request.site.time_zone)
        return {
            "page_title": equipment.code,
            "heading": str(equipment),
            "status_state": shown.get("state", ""),
            "status_word": shown.get("word") or shown["text"],
            "equipment": equipment,
            "occupancy": standing.occupancy,
            "pairs": [
                {"k": "Class", "v": equipment.equipment_class.name},
                {"k": "Identifier", "v": equipment.identifier, "mono": True},
                {"k": "Serial number", "v": equipment.serial, "mono": True},
                {"k": "Calibrated until", "v": moment_words(equipment.calibrated_until, zone)},
                {"k": "State", "v": STATE_WORDS[equipment.state].capitalize() + (f": {equipment.state_reason}" if equipment.state_reason else "")},
                {"k": "Use", "v": "Shared by several lots" if equipment.shared else "One lot at a time"},
            ],
            "uses": queries.uses_of(equipment),
            "changes": [(each, STATE_WORDS[each.state]) for each in equipment.history.select_related("history_user").order_by("-version")[:20]],
            "panels": panels.panels_for(self.request.rights, place="equipment", equipment_id=equipment.pk),
            "may_manage": Permission.MANAGE_EQUIPMENT in self.request.rights and equipment.state != "retired",
        }


class ChangePage(FormPage):
    """Calibrate, change the state, or free: one act on one piece of equipment."""

    ACTS = {"calibrate": forms.CalibrationForm, "state": forms.StateForm, "free": forms.FreeForm}
    WORDS = {
        "calibrate": ("Record a calibration of", "Record the calibration"),
        "state": ("Change the state of", "Change the state"),
        "free": ("Free", "Record that the lot has left it"),
    }
    title = "Equipment"

    def form_for(self, data=None, initial=None):
        if self.kwargs["act"] not in self.ACTS:
            raise Missing("not_found", "There is no such act.")
        return self.ACTS[self.kwargs["act"]](data, initial=initial)

    def read(self, equipment_id, act: str) -> dict:
        shown, equipment = super().read(), equipment_of(equipment_id)
        before, ok = self.WORDS[act]
        back = {"back_url": f"/equipment/{equipment.pk}/", "back_label": "Back to the equipment"}
        return shown | back | {"heading": f"{before} {equipment}", "seen": equipment.version, "ok": ok}

    def write(self, typed: dict, equipment_id, act: str) -> HttpResponse:
        text = self.request.POST.get("seen", "")
        seen = {"equipment_id": equipment_id, "seen": int(text) if text.isdecimal() else 0}
        if act == "calibrate":
            self.do(services.calibrate, **seen, calibrated_until=self.moment(typed["calibrated_until"]), certificate=typed["certificate"])
        elif act == "state":
            self.do(services.change_state, **seen, **typed)
        else:
            self.do(services.free, equipment_id=equipment_id, reason=typed["reason"])
        self.say("Recorded.")
        return self.done(f"/equipment/{equipment_id}/")
