"""Signing itself over the API: accountability (21 CFR 11.10(j)) and deputies (11.100(a)), by the same ceremony as on the pages."""

from __future__ import annotations

from typing import ClassVar

from rest_framework import serializers

from mes.api.views import ServiceView
from mes.people import accountability
from mes.people.models import Role, User
from mes.people.queries import named_here
from mes.permissions import Permission
from mes.signatures import deputies, queries, services
from mes.signatures.accountability import subject_of
from mes.signatures.api import SigningView
from mes.signatures.models import DeputyAuthority


class DeputyIn(serializers.Serializer):
    deputy = serializers.CharField(max_length=150, help_text="User name of who takes the place.")
    principal = serializers.CharField(max_length=150, help_text="User name of the person whose place it is.")
    role = serializers.CharField(max_length=40, help_text="Code of the role.")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField(min_length=3, max_length=400)


class DeputyOut(serializers.Serializer):
    """A dated authority of a deputy; it gives nothing before it is approved."""

    id = serializers.UUIDField()
    deputy = serializers.CharField(source="deputy.username")
    principal = serializers.CharField(source="principal.username")
    role = serializers.CharField(source="role.code")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField(source="why")
    proposed_by = serializers.CharField(source="proposed_by.username")
    approved_by = serializers.CharField(source="approved_by.username", default="")


class DeputiesView(ServiceView):
    """Who takes whose place, from when to when."""

    permissions: ClassVar[dict] = {"GET": Permission.READ_AUDIT, "POST": Permission.MANAGE_PEOPLE}
    asks: ClassVar[dict] = {"POST": DeputyIn}
    answers: ClassVar[dict] = {"GET": DeputyOut(many=True), "POST": DeputyOut}

    def get(self, request):
        """Every authority of this site, newest first."""
        return self.reply(queries.authorities(self.actor.site_id))

    def post(self, request):
        """Propose an authority; a second person approves it by signature."""
        given = self.read()
        site_id = self.actor.site_id
        with self.reading():
            deputy, principal = named_here(given["deputy"], site_id), named_here(given["principal"], site_id)
            role = Role.objects.one(code=given["role"], site_id=site_id)
        window = {"starts_at": given["starts_at"], "ends_at": given["ends_at"]}
        authority = services.propose_deputy(by=self.actor, deputy=deputy, principal=principal, role=role, reason=given["reason"], **window)
        with self.reading():
            return self.reply(authority)


class ApproveDeputyView(SigningView):
    """The approval of a deputy's authority by a second person."""

    permission = Permission.APPROVE_ACCESS
    meaning = "approved_authority"

    def what(self, authority_id):
        return deputies.subject_of(DeputyAuthority.objects.one(pk=authority_id))

    def sign(self, proof, authority_id):
        return services.approve_deputy(by=self.actor, authority_id=authority_id, proof=proof)


class AccountabilityView(SigningView):
    """The text on accountability that is in force, signed by its owner; it enables signing."""

    meaning = "acknowledged_accountability"

    def what(self):
        return subject_of(User.objects.one(pk=self.actor.user_id))

    def sign(self, proof):
        return services.acknowledge_accountability(by=self.actor, proof=proof, text_version=accountability.CURRENT)
