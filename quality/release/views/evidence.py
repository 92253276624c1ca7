"""The evidence file of a lot on the page: which were made, and a button that makes one."""

from __future__ import annotations

from django.http import HttpResponse

from batches.lots.band import band
from mes.permissions import Permission
from mes.web.pages import Page
from quality.release import evidence_file, queries


class EvidencePage(Page):
    """`/lots/<number>/evidence/`: what left the building of this lot. A POST makes a file and hands it over; it is kept nowhere here."""

    permission = Permission.MAKE_EVIDENCE
    template_name = "quality/release/evidence.html"
    title = "Evidence file"

    def read(self, number: str) -> dict:
        lot = queries.lot_by_number(number)
        return band(lot) | {"page_title": f"Evidence file {number}", "the_lot": lot, "made": evidence_file.made_of(lot)}

    def post(self, request, number: str) -> HttpResponse:
        fact, content = evidence_file.evidence_file(self.by, number)
        answer = HttpResponse(content, content_type="application/zip")
        answer["Content-Disposition"] = f'attachment; filename="{evidence_file.file_name(fact)}"'
        answer["X-Content-SHA256"] = fact.sha256
        answer["Cache-Control"] = "no-store, private"
        return answer
