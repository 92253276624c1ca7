"""Where sessions lie: in the database, each with whose it is, so that a person sees their own and they can be ended. OWASP ASVS 5.0, V7.4 and V7.5.

Django's own store with a table that names person, site and station; it takes no statement more.
"""

from __future__ import annotations

import datetime as dt

from django.contrib.sessions.backends import db
from django.utils import timezone

from mes.asked import asked


class SessionStore(db.SessionStore):
    @classmethod
    def get_model_class(cls):
        from mes.people.models import UserSession

        return UserSession

    def _get_session_from_db(self):
        """The session of the key that is in force, or None; asked at each request, so by a statement that is written once."""
        for row in _of_key(self.session_key):
            if row.expire_date > timezone.now():
                return row
        self._session_key = None  # as Django's own store does: a key that leads nowhere is not used on
        return None

    def create_model_instance(self, data):
        """The row of a session; whose it is and when it was touched are copied out of what it holds."""
        row = super().create_model_instance(data)
        row.user_id, row.site_id, row.station = data.get("_auth_user_id"), data.get("site"), data.get("station", "")
        row.began_at, row.touched_at = _moment(data.get("began")), _moment(data.get("touched"))
        return row


@asked(str)
def _of_key(key):
    from mes.people.models import UserSession

    return UserSession.objects.filter(session_key=key)


def _moment(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)
