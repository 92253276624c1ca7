"""Enabling a person to sign, through the same services as in use: identity, then the signed acknowledgement (SIG-11)."""

from __future__ import annotations

from mes.people import accountability, services
from mes.people.models import User
from mes.records.actors import Actor
from mes.signatures import ceremony
from mes.signatures.accountability import subject_of
from mes.signatures.models import SigningIntent
from mes.signatures.services import acknowledge_accountability


def check_identity(checked_by: Actor, user_id) -> None:
    """Somebody else checked who this is."""
    services.verify_identity(by=checked_by, user=User.objects.get(pk=user_id), means="passport, in person")


def acknowledge(by: Actor, password: str) -> None:
    """The person signs the acknowledgement with their own secrets; the spent intent is cleared away."""
    what = subject_of(User.objects.get(pk=by.user_id))
    intent = ceremony.prepare(by, what, "acknowledged_accountability")
    proof = ceremony.authenticate(by=by, intent_id=intent.pk, username=by.username, secret=password)
    acknowledge_accountability(by=by, proof=proof, text_version=accountability.CURRENT)
    SigningIntent.objects.filter(pk=intent.pk).delete()


def enable_signing(setup: Actor, by: Actor, password: str) -> None:
    """Both records of a person who signs."""
    check_identity(setup, by.user_id)
    acknowledge(by, password)
