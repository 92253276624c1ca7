"""The overview of a lot: where it stands, whose it is, what is in it, who signed, what still blocks its release."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.http import HttpResponse

from batches.lots import forms, overview, queries, services
from batches.lots.band import band, product_name
from batches.lots.models import Lot
from batches.lots.states import LOT_WORDS
from batches.permissions import Permission
from batches.recipes.queries import document
from batches.recipes.wording import cohort_words
from mes.clock import record_now
from mes.records.context import site_context
from mes.web import panels
from mes.web.pages import Page


class OfLot(Page):
    """A page about one lot, by its number."""

    permission = Permission.READ_LOTS

    def lot(self) -> Lot:
        return queries.lot_by_number(self.kwargs["number"])

    def lot_id(self):
        """For a post, which stands outside any read context."""
        with site_context(self.by.site_id):
            return self.lot().pk

    def back(self) -> str:
        return f"/lots/{self.kwargs['number']}/"


class LotPage(OfLot):
    """`/lots/<number>/`."""

    template_name = "batches/lots/detail.html"
    title = "Lot"

    def read(self, number: str) -> dict:
        lot, zone = self.lot(), ZoneInfo(self.request.site.time_zone)
        hold, rights, shown = queries.open_hold(lot), self.request.rights, overview.stages(lot)
        donations, containers = queries.donations_of(lot), queries.containers_of(lot)
        return band(lot) | {
            "page_title": lot.number,
            "heading": f"Lot {lot.number}",
            "status_state": "hold" if hold else "",
            "status_word": "On hold" if hold else LOT_WORDS[lot.state],
            "lead": f"{lot.recipe_version.master.name}, version {lot.recipe_version.label}",
            "the_lot": lot,
            "hold": hold,
            "stage_list": shown,
            "steps_done": sum(each["done"] for each in shown),
            "steps_all": sum(each["all"] for each in shown),
            "stage_words": next((f"Now: {each['title']}" for each in shown if each["state"] == "now"), LOT_WORDS[lot.state]),
            "line": (drawn := overview.line(lot, shown, record_now(), zone)),
            "course_note": overview.course_note(lot, shown, drawn),
            "identity": overview.identity_pairs(lot, may_see=not {Permission.SEE_PATIENT_IDENTITY, Permission.ERASE_PATIENT}.isdisjoint(rights)),
            "order_pairs": self.order_pairs(lot),
            "donation_rows": overview.donation_rows(lot, donations),
            "container_rows": overview.container_rows(lot, containers),
            "material_rows": overview.material_rows(lot),
            "equipment_rows": overview.equipment_rows(lot),
            "columns_donations": ["Donation number", "State", "Collected", "Decision"],
            "columns_containers": ["Container", "Identifier", "State"],
            "columns_materials": ["Material", "Lot", "Quantity", "Step", "State"],
            "columns_equipment": ["Equipment", "Step", "Calibration", "Now"],
            "people": overview.people(lot),
            "panels": panels.panels_for(rights, place="lot", number=lot.number),
            "may": {
                "hold": Permission.HOLD_LOT in rights and lot.is_open and hold is None,
                "resume": Permission.RESUME_LOT in rights and hold is not None,
                "terminate": Permission.TERMINATE_LOT in rights and "terminated" in Lot.states.moves[lot.state],
                "cancel": Permission.ORDER_LOT in rights and lot.state == "ordered",
                "add_donation": Permission.ORDER_LOT in rights and lot.state == "ordered",
            },
        }

    def order_pairs(self, lot: Lot) -> list[dict]:
        pairs = [
            {"k": "Product", "v": f"{product_name(lot.recipe_version_id)} ({lot.product})"},
            {"k": "Market", "v": lot.market},
            {"k": "Dose cohort", "v": cohort_words(document(lot.recipe_version).dose, lot.cohort), "limits": True},
            {"k": "Site", "v": lot.site.name},
        ]
        if lot.end_reason or lot.end_reason_code:
            pairs.append({"k": "Ended because", "v": lot.end_reason, "mono": False})
        return pairs


class CancelPage(OfLot):
    """Cancel an order before the lot started."""

    permission = Permission.ORDER_LOT
    template_name = "batches/lots/act.html"
    title = "Cancel the order"

    def read(self, number: str) -> dict:
        lot = self.lot()
        return band(lot) | {
            "heading": f"Cancel the order of lot {lot.number}",
            "lead": "Donations that were not collected and feed no other lot are cancelled with it.",
            "form": forms.ReasonForm(initial=self.typed or None),
            "seen": lot.version,
            "ok": "Cancel the order",
            "back_url": self.back(),
            "back_label": "Back to the lot",
        }

    def post(self, request, number: str) -> HttpResponse:
        form = forms.ReasonForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        self.do(services.cancel_lot, lot_id=self.lot_id(), seen=seen_of(request), reason=form.cleaned_data["reason"])
        self.say("The order is cancelled.")
        return self.done(self.back())


def seen_of(request) -> int:
    """The version the screen showed; 0 when the field is not there, which is no version."""
    text = request.POST.get("seen", "")
    return int(text) if text.isdecimal() else 0
