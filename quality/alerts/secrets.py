"""What a person is told when a secret of theirs changed: in words, and never with the secret. OWASP ASVS 5.0, V6.3.7; 21 CFR 11.300(d)."""

from __future__ import annotations

from mes.clock import moment_words
from mes.events import Event
from quality.alerts.models import SecretNotice

CHANGED: dict[str, str] = {
    Event.PASSWORD_SET: "Your password was changed",
    Event.PIN_SET: "Your signing PIN was changed",
    Event.SECOND_FACTOR_CONFIRMED: "An authenticator was enrolled for you",
    Event.SECOND_FACTOR_RETIRED: "Your authenticator was retired",
    Event.PASSKEY_ENROLLED: "A passkey was enrolled for you",
    Event.PASSKEY_SUSPECTED: "A passkey of yours opens and signs nothing any more, for there may be a copy of it",
    Event.PASSKEY_RETIRED: "A passkey of yours was retired",
}
"""Each event that changes what a person proves themselves with."""

IF_NOT_YOU = "If you did not expect that, tell an administrator at once: they can lock what is yours and end your sessions."


def whose(subject) -> object:
    """The id of the person whose secret it is: the person, or what is theirs."""
    return getattr(subject, "user_id", subject.pk)


def sentence(notice: SecretNotice, zone: str) -> str:
    """What changed, when, where and by whom."""
    by = "in your own session" if notice.by_id == notice.person_id else f"by {notice.by.full_name}"
    at = f" at {notice.station}" if notice.station else ""
    return f"{CHANGED[notice.what]} on {moment_words(notice.recorded_at, zone)}{at}, {by}."
