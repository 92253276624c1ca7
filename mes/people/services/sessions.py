"""Ending sessions before their time: one's own elsewhere, or a person's by an administrator."""

from __future__ import annotations

from mes.events import Event
from mes.people import rules
from mes.people.models import User, UserSession
from mes.records.actors import Actor
from mes.records.door import service


@service(Event.SESSIONS_ENDED)
def end_sessions(*, by: Actor, user_id, reason: str, keep: str = "", ref: str = "") -> int:
    """End a person's sessions: all but the one with the key `keep`, or the one called `ref`. Returns how many ended.

    They fail at their next request. The person's stream says who ended them and why. OWASP ASVS 5.0, V7.4.3, V7.4.5, V7.5.2.
    """
    user = User.objects.lock(user_id)
    rules.check_can_end_sessions(by=by, user=user)
    found = UserSession.objects.filter(user_id=user_id).exclude(session_key=keep)
    keys = [one.session_key for one in found if not ref or one.ref == ref]
    user.save()
    return UserSession.objects.filter(session_key__in=keys).delete()[0]
