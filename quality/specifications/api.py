"""Specifications over the API: list, import, read, and the acts on a version."""

from __future__ import annotations

from typing import ClassVar

from django.urls import path
from rest_framework import serializers

from batches.permissions import Permission as BatchPermission
from mes.api.views import ServiceView
from mes.signatures.api import SigningView
from quality.permissions import Permission
from quality.specifications import queries, services
from quality.specifications.models import SpecificationVersion


class SpecificationText(serializers.Serializer):
    text = serializers.CharField(trim_whitespace=False, help_text="The specification as YAML text.")


class Seen(serializers.Serializer):
    version = serializers.IntegerField(help_text="`record_version` as last read; another one answers stale_screen.")


class SeenWithReason(Seen):
    reason = serializers.CharField(max_length=2000)


class SpecificationVersionOut(serializers.Serializer):
    """A version of a specification."""

    id = serializers.UUIDField()
    code = serializers.CharField(source="specification.code")
    name = serializers.CharField(source="specification.name")
    product = serializers.CharField(source="specification.product")
    label = serializers.CharField()
    markets = serializers.ListField(child=serializers.CharField())
    state = serializers.CharField()
    demo = serializers.BooleanField()
    author = serializers.CharField(source="author.full_name")
    effective_from = serializers.DateTimeField(allow_null=True)
    sha256 = serializers.CharField(source="digest", help_text="Of the text.")
    record_version = serializers.IntegerField(source="version")


class WholeVersionOut(SpecificationVersionOut):
    text = serializers.CharField()


class SpecificationList(ServiceView):
    """Every version of every specification, and the import of a new one."""

    permissions: ClassVar[dict] = {"GET": BatchPermission.READ_LOTS, "POST": Permission.AUTHOR_SPECIFICATIONS}
    asks: ClassVar[dict] = {"POST": SpecificationText}
    answers: ClassVar[dict] = {"GET": SpecificationVersionOut(many=True), "POST": SpecificationVersionOut}

    def get(self, request):
        """Versions by code, newest first."""
        return self.reply([version for row in queries.specifications() for version in row["versions"]])

    def post(self, request):
        """Import a text as a draft. A refused text names every line and field in `detail`."""
        version = services.import_specification(by=self.actor, text=self.read()["text"])
        with self.reading():
            return self.reply(queries.version_by_id(version.pk), location=f"/api/v1/specifications/{version.pk}/")


class SpecificationDetail(ServiceView):
    """One version with its text."""

    permission = BatchPermission.READ_LOTS
    answers: ClassVar[dict] = {"GET": WholeVersionOut}

    def get(self, request, version_id):
        """The version as it stands."""
        return self.reply(queries.version_by_id(version_id))


class _Act(ServiceView):
    asks: ClassVar[dict] = {"POST": Seen}
    answers: ClassVar[dict] = {"POST": SpecificationVersionOut}
    created = False

    def done(self, version: SpecificationVersion):
        with self.reading():
            return self.reply(queries.version_by_id(version.pk))


class SubmitSpecification(_Act):
    """Ask for approval of a draft."""

    permission = Permission.AUTHOR_SPECIFICATIONS

    def post(self, request, version_id):
        """The text is checked again, also against the recipes that name it."""
        return self.done(services.submit_specification(by=self.actor, version_id=version_id, seen=self.read()["version"]))


class ReturnSpecification(_Act):
    """Give a version back to its author."""

    permission = Permission.APPROVE_SPECIFICATIONS
    asks: ClassVar[dict] = {"POST": SeenWithReason}

    def post(self, request, version_id):
        """It is a draft again."""
        given = self.read()
        return self.done(services.return_specification(by=self.actor, version_id=version_id, seen=given["version"], reason=given["reason"]))


class MakeSpecificationEffective(_Act):
    """Let an approved version take effect."""

    permission = Permission.APPROVE_SPECIFICATIONS

    def post(self, request, version_id):
        """The effective version before it is superseded; lots keep theirs."""
        return self.done(services.make_effective(by=self.actor, version_id=version_id, seen=self.read()["version"]))


class ApproveSpecification(SigningView):
    """Approval by the signature of somebody who did not write the version."""

    permission = Permission.APPROVE_SPECIFICATIONS
    meaning = "approved"

    def what(self, version_id):
        return queries.subject_of(queries.version_by_id(version_id))

    def sign(self, proof, version_id):
        with self.reading():
            seen = queries.version_by_id(version_id).version
        services.approve_specification(by=self.actor, version_id=version_id, seen=seen, proof=proof)


api_urls = [
    path("specifications/", SpecificationList.as_view()),
    path("specifications/<uuid:version_id>/", SpecificationDetail.as_view()),
    path("specifications/<uuid:version_id>/submit/", SubmitSpecification.as_view()),
    path("specifications/<uuid:version_id>/return/", ReturnSpecification.as_view()),
    path("specifications/<uuid:version_id>/approve/", ApproveSpecification.as_view()),
    path("specifications/<uuid:version_id>/make-effective/", MakeSpecificationEffective.as_view()),
]
