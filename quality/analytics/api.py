"""The data of a periodic product review over the API."""

from __future__ import annotations

from typing import ClassVar

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from mes.api.views import ServiceView
from mes.people.models import Site
from quality.analytics import queries
from quality.analytics.views import period_of
from quality.permissions import Permission

ASKED = [
    OpenApiParameter("product", OpenApiTypes.STR, required=True, description="The product's code."),
    OpenApiParameter("first", OpenApiTypes.DATE, required=True, description="First day, in the site's zone."),
    OpenApiParameter("last", OpenApiTypes.DATE, required=True, description="Last day, included."),
]


class LineOut(serializers.Serializer):
    lot = serializers.CharField()
    detail = serializers.CharField()


class FigureOut(serializers.Serializer):
    """How many there were in the period, and which lots stand behind it."""

    code = serializers.CharField()
    title = serializers.CharField()
    number = serializers.IntegerField()
    lots = serializers.ListField(child=serializers.CharField())
    lines = LineOut(many=True)


class ProductReviewOut(serializers.Serializer):
    product = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(help_text="The moment before which everything was recorded.")
    digest = serializers.CharField(help_text="SHA-256 over all of it: the same whenever a period that is over is asked for.")
    figures = FigureOut(many=True)


class ProductReviewView(ServiceView):
    """Lots, decisions, yields, results out of specification, deviations, changes and withdrawals of a product over a period."""

    permission = Permission.REVIEW_LOT
    answers: ClassVar[dict] = {"GET": ProductReviewOut}
    parameters: ClassVar[dict] = {"GET": ASKED}

    def get(self, request):
        """Made anew from what was recorded within the period; nothing of it can be edited."""
        zone = Site.objects.values_list("time_zone", flat=True).get(pk=self.actor.site_id)
        since, until = period_of(request.query_params.get("first", ""), request.query_params.get("last", ""), zone)
        return self.reply(queries.product_review(self.actor.site_id, request.query_params.get("product", ""), since, until))


api_urls = [
    path("product-review/", ProductReviewView.as_view()),
]
