"""Alerts over the API: whose they are, and taking note of one."""

from __future__ import annotations

from typing import ClassVar

from django.urls import path
from rest_framework import serializers

from mes.api.views import ServiceView
from quality.alerts import queries, services
from quality.permissions import Permission


class AlertOut(serializers.Serializer):
    """Something people must know."""

    id = serializers.UUIDField()
    lot = serializers.CharField(source="lot.number", default="")
    cause = serializers.CharField()
    severity = serializers.CharField()
    title = serializers.CharField()
    body = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    level = serializers.IntegerField(help_text="Rung of the ladder; each one tells more people.")
    state = serializers.CharField()
    raised_at = serializers.DateTimeField(source="recorded_at")
    acknowledged_by = serializers.CharField(source="acknowledged_by.full_name", default="")
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField(help_text="Send it back to acknowledge.")


class Acknowledgement(serializers.Serializer):
    version = serializers.IntegerField(help_text="The alert's version as last read.")


class AlertList(ServiceView):
    """Alerts for the caller that nobody acknowledged."""

    permission = Permission.ACKNOWLEDGE_ALERTS
    answers: ClassVar[dict] = {"GET": AlertOut(many=True)}

    def get(self, request):
        """Most severe first; `all=1`: every alert of the site, acknowledged ones too."""
        if request.query_params.get("all") == "1":
            return self.reply(list(queries.all_of(self.actor.site_id)[:500]))
        return self.reply(queries.for_person(self.actor.user_id, self.actor.site_id))


class AlertDetail(ServiceView):
    """One alert."""

    permission = Permission.ACKNOWLEDGE_ALERTS
    answers: ClassVar[dict] = {"GET": AlertOut}

    def get(self, request, alert_id):
        """As it stands."""
        return self.reply(queries.one(alert_id))


class Acknowledge(ServiceView):
    """Take note of an alert: escalation ends."""

    permission = Permission.ACKNOWLEDGE_ALERTS
    asks: ClassVar[dict] = {"POST": Acknowledgement}
    answers: ClassVar[dict] = {"POST": AlertOut}
    created = False

    def post(self, request, alert_id):
        """It is no signature and closes nothing else."""
        services.acknowledge(by=self.actor, alert_id=alert_id, seen=self.read()["version"])
        with self.reading():
            return self.reply(queries.one(alert_id))


api_urls = [
    path("alerts/", AlertList.as_view()),
    path("alerts/<uuid:alert_id>/", AlertDetail.as_view()),
    path("alerts/<uuid:alert_id>/acknowledge/", Acknowledge.as_view()),
]
