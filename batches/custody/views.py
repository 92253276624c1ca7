"""Labels and hand-overs of a lot: print, use, destroy, count."""

from __future__ import annotations

from django.http import HttpResponse

from batches.custody import forms, queries, services
from batches.custody.models import Label
from batches.custody.rules import HAND_OVER_RULES, fits
from batches.custody.wording import HAND_OVERS
from batches.lots.band import band
from batches.lots.forms import ReasonForm
from batches.lots.queries import containers_of
from batches.lots.views.detail import OfLot, seen_of
from batches.lots.views.scanned import code_in
from batches.lots.views.second_reader import ReadByTwoPage
from batches.permissions import Permission
from mes.errors import Missing
from mes.records.context import site_context

WORDS = {"printed": "Printed", "used": "In use", "destroyed": "Destroyed"}


class LabelsPage(OfLot):
    """Every container of a lot with its labels; a label is printed from here."""

    template_name = "batches/custody/labels.html"
    title = "Labels"

    def read(self, number: str) -> dict:
        lot = self.lot()
        labels = queries.labels_of(lot)
        count = queries.reconciliation(lot)
        lines = [
            {"container": each, "labels": [label for label in labels if label.container_id == each.pk], "hand_overs": self.offered(each)}
            for each in containers_of(lot)
        ]
        return band(lot) | {
            "page_title": f"Labels of {lot.number}",
            "heading": "Labels and hand-overs",
            "lead": "Printed must be used plus destroyed before the lot is released.",
            "the_lot": lot,
            "lines": lines,
            "words": WORDS,
            "count": count,
            "stats": [
                {"label": "Printed", "value": count.printed},
                {"label": "Used", "value": count.used},
                {"label": "Destroyed", "value": count.destroyed},
                {"label": "Not accounted for", "value": count.open},
            ],
            "hand_overs": [(each, HAND_OVERS[each.kind]) for each in queries.hand_overs_of(lot)],
            "may_print": Permission.PRINT_LABELS in self.request.rights,
            "may_use": Permission.RECORD_VALUES in self.request.rights,
        }

    def offered(self, container) -> list[tuple[str, str]]:
        """The hand-overs of this kind of container that this person may sign."""
        kinds = {"collection_bag": ("to_manufacture", "at_manufacture"), "final_bag": ("at_centre", "to_bedside", "return")}.get(container.kind, ())
        return [(kind, HAND_OVERS[kind]) for kind in kinds if HAND_OVER_RULES[kind].permission in self.request.rights and fits(container, kind)]

    def post(self, request, number: str) -> HttpResponse:
        container_id, reason = request.POST.get("container", ""), request.POST.get("reason", "")
        with site_context(self.by.site_id):
            known = {str(each.pk): each for each in containers_of(self.lot())}
        if container_id not in known:
            raise Missing("not_found", "There is no such container in this lot.")
        label = self.do(services.print_label, container_id=known[container_id].pk, reason=reason)
        self.say(f"Label {label.serial} of {known[container_id].title} is made. Open it and send it to the printer.")
        return self.done(f"/lots/{number}/labels/")


class OfLabel(OfLot):
    """A page about one label of a lot."""

    template_name = "batches/lots/act.html"

    def label(self) -> Label:
        label = queries.label(self.kwargs["label_id"])
        if label.lot.number != self.kwargs["number"]:
            raise Missing("not_found", "There is no such label in this lot.")
        return label

    def label_id(self):
        with site_context(self.by.site_id):
            return self.label().pk

    def labels_url(self) -> str:
        return f"/lots/{self.kwargs['number']}/labels/"

    def shown(self, label: Label, form, ok: str) -> dict:
        return band(self.lot()) | {"form": form, "seen": label.version, "ok": ok, "back_url": self.labels_url(), "back_label": "Back to the labels"}


class UseLabelPage(ReadByTwoPage, OfLabel):
    """The label goes onto its container: two scans, or what the container carries is typed and read by two."""

    permission = Permission.RECORD_VALUES
    template_name = "batches/custody/use_label.html"
    title = "Use a label"

    def read(self, number: str, label_id) -> dict:
        label = self.label()
        return self.shown(label, forms.UseForm(initial=self.typed or None), "Record that it is on") | {
            "heading": f"Label {label.serial} of {label.container.title}",
            "lead": "Scan the new label, then what the container carries now or was filled from.",
            "typed": self.typed,
            "asks_second_reader": self.asks_second_reader,
        }

    def post(self, request, number: str, label_id) -> HttpResponse:
        form = forms.UseForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        with site_context(self.by.site_id):
            container = self.label().container
        codes = {name: code_in(request.POST, name, text) for name, text in form.cleaned_data.items()}
        second = self.second_reader(container, codes["scanned_container"])
        label = self.do(services.use_label, label_id=self.label_id(), seen=seen_of(request), typed_with=second, **codes)
        self.say(f"Label {label.serial} is in use.")
        return self.done(self.labels_url())


class DestroyLabelPage(OfLabel):
    """A label is destroyed and counted."""

    permission = Permission.PRINT_LABELS
    title = "Destroy a label"

    def read(self, number: str, label_id) -> dict:
        label = self.label()
        return self.shown(label, ReasonForm(initial=self.typed or None), "Record that it is destroyed") | {
            "heading": f"Destroy label {label.serial} of {label.container.title}",
        }

    def post(self, request, number: str, label_id) -> HttpResponse:
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        label = self.do(services.destroy_label, label_id=self.label_id(), seen=seen_of(request), reason=form.cleaned_data["reason"])
        self.say(f"Label {label.serial} is destroyed.")
        return self.done(self.labels_url())


class LabelPdf(OfLabel):
    """The label for the printer. The answer is kept nowhere: it may show the patient."""

    permission = Permission.PRINT_LABELS

    def get(self, request, number: str, label_id) -> HttpResponse:
        label, pdf = self.do(services.open_specimen, label_id=self.label_id())
        answer = HttpResponse(pdf, content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="label-{label.pk}.pdf"'
        answer["Cache-Control"] = "no-store, private"
        return answer
