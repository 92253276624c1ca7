"""Who a password belongs to: the only way into a session. Counting, locking and logging stand in people.session."""

from __future__ import annotations

from django.contrib.auth.hashers import check_password

from mes.people.hashers import nobodys_hash
from mes.people.models import User
from mes.people.standing import person_of_session


class PasswordBackend:
    """Finds a person by user name and password. Devices and jobs have no session."""

    def authenticate(self, request, username: str = "", password: str = "") -> User | None:
        user = User.objects.filter(username__iexact=username.strip(), kind=User.PERSON).first()
        stored = user.password if user is not None else ""
        # An unknown person costs as much time as a known one: no user enumeration by the clock.
        right = check_password(password, stored or nobodys_hash())
        return user if right and stored and user.is_active else None

    def get_user(self, user_id) -> User | None:
        return person_of_session(user_id)

    def has_perm(self, user, permission, obj=None) -> bool:
        """Nothing is allowed through Django's permissions: authority is asked of people.rules."""
        return False
