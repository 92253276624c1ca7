"""The review over the API: read it, decide exceptions, sign it."""

from __future__ import annotations

from typing import ClassVar

from django.urls import path
from rest_framework import serializers

from mes.api.views import ServiceView
from mes.signatures.api import SigningView
from quality.permissions import Permission
from quality.review import queries, services
from quality.review.models import Review
from quality.samples.queries import lot_by_number


class ExceptionOut(serializers.Serializer):
    """One exception: a fact that a reviewer has to decide about."""

    number = serializers.IntegerField()
    exception = serializers.CharField(source="key", help_text="Send it back with a decision.")
    kind = serializers.CharField(source="finding.kind")
    title = serializers.CharField(source="finding.title")
    where = serializers.CharField()
    step = serializers.CharField(source="step_key")
    risk = serializers.CharField(source="finding.risk", help_text="critical, major, minor or note.")
    at = serializers.DateTimeField(source="finding.at")
    who = serializers.CharField(source="finding.who")
    old = serializers.CharField(source="finding.old")
    new = serializers.CharField(source="finding.new")
    reason = serializers.CharField(source="finding.reason")
    deviation = serializers.CharField(source="deviation.number", default="")
    entries = serializers.ListField(source="seqs", child=serializers.IntegerField(), help_text="Sequence numbers of the audit entries it stands on.")
    decision = serializers.CharField(source="disposition.decision", default="")
    comment = serializers.CharField(source="disposition.comment", default="")
    decided_by = serializers.CharField(source="disposition.by.full_name", default="")


class ReviewOut(serializers.Serializer):
    """The review of a lot by exception; the counts add up: entries = informational + significant."""

    lot = serializers.CharField(source="lot.number")
    state = serializers.CharField(source="review.state", default="not open")
    version = serializers.IntegerField(source="review.version", default=None, help_text="Version of the review.")
    rules = serializers.CharField(source="review.rules_version", default="")
    entries = serializers.IntegerField(source="total")
    informational = serializers.IntegerField()
    significant = serializers.SerializerMethodField()
    to_decide = serializers.SerializerMethodField(help_text="Exceptions that keep the review from being signed.")
    current = serializers.BooleanField(source="is_current", help_text="Signed, and nothing came after it.")
    exceptions = serializers.SerializerMethodField()

    def get_significant(self, shown) -> int:
        return len(shown.significant)

    def get_to_decide(self, shown) -> int:
        return len(shown.to_decide)

    def get_exceptions(self, shown) -> list[dict]:
        return ExceptionOut(queries.sorted_by_risk(shown.lines), many=True).data


class DecisionIn(serializers.Serializer):
    exception = serializers.CharField(max_length=120)
    decision = serializers.ChoiceField(choices=list(queries.DECISIONS))
    comment = serializers.CharField(max_length=4000)


class DecisionOut(serializers.Serializer):
    id = serializers.UUIDField()
    exception = serializers.CharField()
    decision = serializers.CharField()
    comment = serializers.CharField()
    recorded_at = serializers.DateTimeField()


class OfLot(ServiceView):
    """What the addresses of a lot's review share."""

    def lot_id(self, number: str):
        with self.reading():
            return lot_by_number(number).pk


class ReviewDetail(OfLot):
    """The review of a lot."""

    permission = Permission.REVIEW_LOT
    answers: ClassVar[dict] = {"GET": ReviewOut, "POST": ReviewOut}

    def get(self, request, number):
        """Exceptions first: grouped by step, the worst first."""
        return self.reply(queries.picture(lot_by_number(number)))

    def post(self, request, number):
        """Open the review; a lot that is made moves into review."""
        services.open_review(by=self.actor, lot_id=self.lot_id(number))
        with self.reading():
            return self.reply(queries.picture(lot_by_number(number)))


class Decide(OfLot):
    """Decide about one exception."""

    permission = Permission.REVIEW_LOT
    asks: ClassVar[dict] = {"POST": DecisionIn}
    answers: ClassVar[dict] = {"POST": DecisionOut}

    def post(self, request, number):
        """The latest decision counts; all stay. `needs_deviation` opens a deviation where the exception has none."""
        given = self.read()
        made = services.disposition(by=self.actor, lot_id=self.lot_id(number), **given)
        with self.reading():
            return self.reply(made)


class SignReview(SigningView):
    """Sign the review: every decision and the trail up to its last entry."""

    permission = Permission.REVIEW_LOT
    meaning = "reviewed"

    def what(self, number):
        return queries.subject_of(queries.picture(lot_by_number(number)))

    def sign(self, proof, number):
        with self.reading():
            review = Review.objects.one(lot=lot_by_number(number))
        services.finish_review(by=self.actor, lot_id=review.lot_id, seen=review.version, proof=proof)


api_urls = [
    path("lots/<str:number>/review/", ReviewDetail.as_view()),
    path("lots/<str:number>/review/decisions/", Decide.as_view()),
    path("lots/<str:number>/review/sign/", SignReview.as_view()),
]
