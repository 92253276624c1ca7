"""What is read of the record to be signed while the signer's secret is checked. Decision 16."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from mes.records.actors import Actor
from mes.records.context import site_context
from mes.signatures.models import SigningIntent

_readers: dict[str, Callable[[uuid.UUID], Any]] = {}


def read_ahead(meanings: Iterable[str], reader: Callable[[uuid.UUID], Any]) -> None:
    """Register what is read of the record to be signed with one of these meanings while the secret is checked: `reader(record_id)`.

    It is called in a read context of the site, whoever tries to sign and whether or not they are known. What it returns comes with the proof as
    `ahead`: never an answer by itself, only what the deed may go on with after proving, under its lock, that it still stands.
    """
    _readers.update(dict.fromkeys(meanings, reader))


def ahead_of(by: Actor, intent: SigningIntent) -> Any:
    """What is read ahead, in one snapshot; the transaction is over before the outcome of the check is waited for."""
    reader = _readers.get(intent.meaning)
    if reader is None:
        return None
    with site_context(by.site_id, snapshot=True):
        return reader(intent.record_id)
