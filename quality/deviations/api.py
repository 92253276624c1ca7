"""Deviations over the API: read, classify, investigate, assess, close."""

from __future__ import annotations

from typing import ClassVar

from django.urls import path
from rest_framework import serializers

from mes.api.paging import PARAMETERS, page, pages_of
from mes.api.views import ServiceView
from mes.signatures.api import SigningView
from quality.deviations import queries, rules, services
from quality.deviations.models import Deviation
from quality.permissions import Permission


class DeviationOut(serializers.Serializer):
    """A deviation: the answer to an excursion, a failing result, or something a person saw."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    lot = serializers.CharField(source="lot.number", default="")
    kind = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    state = serializers.CharField()
    classification = serializers.CharField()
    classification_reason = serializers.CharField()
    investigation = serializers.CharField()
    impact = serializers.CharField()
    impact_reason = serializers.CharField()
    closed_as = serializers.CharField()
    recorded_at = serializers.DateTimeField()
    version = serializers.IntegerField(help_text="Send it back with an act on this deviation.")


class DeviationIn(serializers.Serializer):
    lot = serializers.CharField(max_length=40, help_text="Number of the lot.")
    title = serializers.CharField(max_length=300)
    description = serializers.CharField(max_length=8000)


class ClassifyIn(serializers.Serializer):
    version = serializers.IntegerField()
    classification = serializers.ChoiceField(choices=rules.CLASSES)
    reason = serializers.CharField(max_length=2000)


class InvestigateIn(serializers.Serializer):
    version = serializers.IntegerField()
    text = serializers.CharField(max_length=20000)


class DeviationList(ServiceView):
    """Deviations of the site, newest first."""

    permissions: ClassVar[dict] = {"GET": Permission.READ_DEVIATIONS, "POST": Permission.INVESTIGATE_DEVIATIONS}
    asks: ClassVar[dict] = {"POST": DeviationIn}
    answers: ClassVar[dict] = {"GET": pages_of(DeviationOut), "POST": DeviationOut}
    parameters: ClassVar[dict] = {"GET": PARAMETERS}

    def get(self, request):
        """`state=open`, `classified`, `assessed` or `closed`, and `lot=` a number, narrow the list."""
        found = Deviation.objects.select_related("lot")
        if state := request.query_params.get("state"):
            found = found.filter(state=state)
        if number := request.query_params.get("lot"):
            found = found.filter(lot__number=number)
        return self.reply(page(request, found))

    def post(self, request):
        """Open a deviation for something no limit catches."""
        given = self.read()
        with self.reading():
            lot_id = queries.lot_id_of(given.pop("lot"))
        deviation = services.open_by_hand(by=self.actor, lot_id=lot_id, **given)
        with self.reading():
            return self.reply(queries.by_number(deviation.number), location=f"/api/v1/deviations/{deviation.number}/")


class DeviationDetail(ServiceView):
    """One deviation."""

    permission = Permission.READ_DEVIATIONS
    answers: ClassVar[dict] = {"GET": DeviationOut}

    def get(self, request, number):
        """As it stands."""
        return self.reply(queries.by_number(number))


class _Act(ServiceView):
    answers: ClassVar[dict] = {"POST": DeviationOut}
    created = False

    def deviation_id(self, number: str):
        with self.reading():
            return queries.by_number(number).pk

    def done(self, number: str):
        with self.reading():
            return self.reply(queries.by_number(number))


class Classify(_Act):
    """QA classifies otherwise than the rule did."""

    permission = Permission.ASSESS_DEVIATIONS
    asks: ClassVar[dict] = {"POST": ClassifyIn}

    def post(self, request, number):
        """With a reason; an assessment made before has to be made again."""
        given = self.read()
        services.classify(
            by=self.actor, deviation_id=self.deviation_id(number), seen=given["version"], classification=given["classification"], reason=given["reason"]
        )
        return self.done(number)


class Investigate(_Act):
    """Write the investigation."""

    permission = Permission.INVESTIGATE_DEVIATIONS
    asks: ClassVar[dict] = {"POST": InvestigateIn}

    def post(self, request, number):
        """Earlier wordings stay in the history."""
        given = self.read()
        services.investigate(by=self.actor, deviation_id=self.deviation_id(number), seen=given["version"], text=given["text"])
        return self.done(number)


class _SignedAct(SigningView):
    permission = Permission.ASSESS_DEVIATIONS
    fields: ClassVar[tuple[str, str]]

    def act(self) -> dict[str, str]:
        """What is decided, from the query of both calls."""
        return {name: self.request.query_params.get(name, "") for name in self.fields}

    def found(self, number: str) -> Deviation:
        with self.reading():
            return queries.by_number(number)


class Assess(_SignedAct):
    """The impact on the lot, signed: `impact` (none, acceptable, not_acceptable) and `reason` in the query of both calls."""

    meaning = "assessed"
    fields = ("impact", "reason")

    def what(self, number):
        return queries.assessment_subject(queries.by_number(number), **self.act())

    def sign(self, proof, number):
        found = self.found(number)
        services.assess(by=self.actor, deviation_id=found.pk, seen=found.version, proof=proof, **self.act())


class Close(_SignedAct):
    """The closure, signed: `closed_as` (investigated, entry_error) and `reason` in the query of both calls."""

    meaning = "closed"
    fields = ("closed_as", "reason")

    def what(self, number):
        return queries.closure_subject(queries.by_number(number), **self.act())

    def sign(self, proof, number):
        found = self.found(number)
        services.close(by=self.actor, deviation_id=found.pk, seen=found.version, proof=proof, **self.act())


api_urls = [
    path("deviations/", DeviationList.as_view()),
    path("deviations/<str:number>/", DeviationDetail.as_view()),
    path("deviations/<str:number>/classify/", Classify.as_view()),
    path("deviations/<str:number>/investigate/", Investigate.as_view()),
    path("deviations/<str:number>/assess/", Assess.as_view()),
    path("deviations/<str:number>/close/", Close.as_view()),
]
