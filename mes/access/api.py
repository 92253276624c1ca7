"""The access register over the API: as of any moment, its reviews, and signing one."""

from __future__ import annotations

from typing import ClassVar

from rest_framework import serializers

from mes import clock
from mes.access import queries, services
from mes.access.views import RESULTS
from mes.api.views import ServiceView
from mes.clock import moment_of
from mes.errors import Missing
from mes.people.models import Site
from mes.permissions import Permission
from mes.signatures.api import SigningView


class AccessOut(serializers.Serializer):
    """A role that somebody held at the moment asked for."""

    username = serializers.CharField()
    full_name = serializers.CharField()
    kind = serializers.CharField()
    role = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    given_by = serializers.CharField()


class AccessReviewOut(serializers.Serializer):
    """A signed review of the register."""

    as_of = serializers.DateTimeField()
    lines = serializers.IntegerField()
    result = serializers.CharField()
    findings = serializers.CharField()
    reviewed_by = serializers.CharField(source="by.username")
    reviewed_at = serializers.DateTimeField(source="recorded_at")


class AccessRegister(ServiceView):
    """Who held which role."""

    permission = Permission.READ_AUDIT
    answers: ClassVar[dict] = {"GET": AccessOut(many=True)}

    def get(self, request):
        """As of `at` (RFC 3339), or now."""
        site = Site.objects.one(pk=self.actor.site_id)
        at = moment_of(request.query_params.get("at", ""), site.time_zone) or clock.record_now()
        return self.reply(queries.register_as_of(site.pk, at))


class Reviews(ServiceView):
    """Signed reviews of the register."""

    permission = Permission.READ_AUDIT
    answers: ClassVar[dict] = {"GET": AccessReviewOut(many=True)}

    def get(self, request):
        """Newest first."""
        return self.reply(queries.reviews(self.actor.site_id))


class ReviewSign(SigningView):
    """The review of the register as it is now. `result` in the address: confirmed or changes; `reason`: what was found."""

    permission = Permission.APPROVE_ACCESS
    meaning = "reviewed_access"

    def what(self, result):
        return self.with_reason("", result)

    def with_reason(self, reason, result):
        if result not in RESULTS:
            raise Missing("result_unknown", "There is no such result of a review.")
        site_id = self.actor.site_id
        return queries.review_subject(Site.objects.one(pk=site_id), queries.register_as_of(site_id, clock.record_now()), result, reason)

    def sign(self, proof, result):
        return services.review_access(by=self.actor, proof=proof, result=result, reason=self.reason)
