"""What is signed when somebody acknowledges accountability: the text in force, by its version, and who they are."""

from __future__ import annotations

from mes.people import accountability
from mes.people.models import User
from mes.signatures import ceremony


def subject_of(user: User) -> ceremony.Subject:
    """The text in force as this person signs it."""
    version = accountability.CURRENT
    content = {"text_version": version, "text": list(accountability.TEXTS[version]), "full_name": user.full_name, "username": user.username}
    return ceremony.subject(user, "accountability/1", content)
