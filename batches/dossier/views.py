"""The executed batch record on screen, its papers, and how one is asked for."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse

from batches.dossier import services
from batches.dossier.queries.papers import lot_by_number, paper_of, papers_of
from batches.dossier.queries.record import record_of
from batches.dossier.queries.shown import shown
from batches.lots.band import band
from batches.permissions import Permission
from mes.clock import record_now
from mes.records.context import site_context
from mes.records.kept import check_kept
from mes.web.pages import FragmentPage, Page


class RecordPage(Page):
    """`/lots/<number>/record/`: everything executed, stage by stage, and the tables of the whole lot."""

    permission = Permission.READ_RECORD
    template_name = "batches/dossier/record.html"
    title = "Batch record"

    def read(self, number: str) -> dict:
        lot = lot_by_number(number)
        return band(lot) | {"page_title": f"Batch record {number}", "the_lot": lot, "r": shown(record_of(lot, record_now())), "papers": papers_of(lot)}

    def post(self, request, number: str) -> HttpResponse:
        with site_context(self.by.site_id):
            lot_id = lot_by_number(number).pk
        self.do(services.ask_for_record, lot_id=lot_id)
        self.say("The PDF is being made from the record as it stands now. It appears here within a minute.")
        return self.done(reverse("batches:dossier:record", kwargs={"number": number}))


class PapersPanel(FragmentPage):
    """The papers of a lot, asked for again while one is being made."""

    permission = Permission.READ_RECORD
    template_name = "batches/dossier/_papers.html"
    title = "Papers"

    def read(self, number: str) -> dict:
        lot = lot_by_number(number)
        return {"the_lot": lot, "papers": papers_of(lot)}


class RecordPdf(Page):
    """`/lots/<number>/record.pdf`: the newest paper, or one by its number, byte for byte as it was kept."""

    permission = Permission.READ_RECORD
    title = "Batch record"

    def get(self, request, number: str, paper: int | None = None) -> HttpResponse:
        with site_context(self.by.site_id):
            found = paper_of(lot_by_number(number), paper)
            pdf, name = check_kept(found.pdf, found.sha256, "This paper"), f"{number}-record-{found.number}"
        answer = HttpResponse(pdf, content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{name}.pdf"'
        answer["Cache-Control"] = "no-store"
        return answer
