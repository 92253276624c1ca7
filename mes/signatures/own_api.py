"""Acknowledging accountability over the API: the same text and the same ceremony as on the page. 21 CFR 11.10(j)."""

from __future__ import annotations

from mes.people import accountability
from mes.people.models import User
from mes.signatures import services
from mes.signatures.accountability import subject_of
from mes.signatures.api import SigningView


class AccountabilityView(SigningView):
    """The text on accountability that is in force, signed by its owner; it enables signing."""

    meaning = "acknowledged_accountability"

    def what(self):
        return subject_of(User.objects.one(pk=self.actor.user_id))

    def sign(self, proof):
        return services.acknowledge_accountability(by=self.actor, proof=proof, text_version=accountability.CURRENT)
