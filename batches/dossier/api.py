"""The batch record over the API: as data, and the papers made of it."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.response import Response

from batches.dossier import services
from batches.dossier.queries.papers import lot_by_number, paper_of, papers_of
from batches.dossier.queries.record import record_of
from batches.permissions import Permission
from mes.api.views import ServiceView
from mes.clock import record_now
from mes.records.kept import check_kept


class PaperOut(serializers.Serializer):
    """A batch record as it was printed."""

    number = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Of the PDF's bytes.")
    content_digest = serializers.CharField(help_text="SHA-256 over the canonical form of what it shows.")
    entries = serializers.IntegerField(help_text="Entry of the lot's trail at which it was read.")
    recorded_at = serializers.DateTimeField()


class RecordView(ServiceView):
    """The executed batch record of a lot."""

    permission = Permission.READ_RECORD
    answers: ClassVar[dict] = {"GET": OpenApiTypes.OBJECT}

    def get(self, request, number):
        """Everything that was to be done and everything that was done, as JSON: values with their limits and earlier values."""
        return Response(record_of(lot_by_number(number), record_now()))


class PapersView(ServiceView):
    """The papers made of a lot's record."""

    permission = Permission.READ_RECORD
    answers: ClassVar[dict] = {"GET": PaperOut(many=True), "POST": PaperOut(many=True)}

    def get(self, request, number):
        """Newest first."""
        return self.reply(papers_of(lot_by_number(number)))

    def post(self, request, number):
        """Ask for a PDF of the record as it stands now; the background makes it. Answers with those that are there."""
        with self.reading():
            lot_id = lot_by_number(number).pk
        services.ask_for_record(by=self.actor, lot_id=lot_id)
        with self.reading():
            return self.reply(papers_of(lot_by_number(number)), status=202)


class PaperPdf(ServiceView):
    """One paper as PDF."""

    permission = Permission.READ_RECORD
    answers: ClassVar[dict] = {"GET": OpenApiTypes.BINARY}

    def get(self, request, number, paper):
        """Byte for byte as it was kept."""
        found = paper_of(lot_by_number(number), paper)
        answer = HttpResponse(check_kept(found.pdf, found.sha256, "This paper"), content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{number}-record-{found.number}.pdf"'
        return answer
