"""How a person comes to own secrets: a link made by one, opened before another, and secrets only the owner knows.

21 CFR 11.100(b), 11.200(a)(3): misuse takes at least two people. The same way serves who forgot a password.
"""

from __future__ import annotations

from mes.events import Event
from mes.people import rules
from mes.people.models import User
from mes.people.services.credentials import set_password, set_pin
from mes.people.services.enabling import verify_identity
from mes.records.actors import Actor
from mes.records.door import service


@service(Event.PERSON_INVITED)
def invite_person(*, by: Actor, user_id, reason: str) -> User:
    """Make ready for a joining link: a new version of the person, to which the link is bound; earlier links end.

    Present secrets stay until the owner sets new ones.
    """
    user = User.objects.lock(user_id)
    rules.check_can_invite_person(by=by, user=user)
    user.save()
    return user


@service(Event.PERSON_JOINED)
def join_person(*, by: Actor, user_id, seen: int, new: str, pin: str, invited_by, checked_by: Actor) -> User:
    """The owner sets password and PIN before a second person who has checked the identity and proven their own.

    Raises NotAllowed when that person is the owner, made the link, or may not record training.
    """
    user = User.objects.lock(user_id, seen=seen)
    rules.check_can_join_person(by=by, user=user, invited_by=invited_by, checked_by=checked_by)
    verify_identity(by=checked_by, user=user, means="in person, beside the person who set the secrets")
    user = set_password(by=by, user_id=user.pk, new=new)
    return set_pin(by=by, user_id=user.pk, pin=pin)
