"""How comings and goings and checkpoints are worded on the trail's page, and that they are routine. The export keeps every column."""

from __future__ import annotations

from collections.abc import Sequence

from mes.audit import kinds
from mes.audit.wordings import Change, Words, word
from mes.events import Event
from mes.words import counted, plain

ROUTINE = {
    Event.SIGNED_IN: "coming in, as everybody does; a refused one is a security event",
    Event.SIGNED_OUT: "going",
    Event.CHECKPOINT_TAKEN: "made by the clock; one that is late or broken raises an alarm",
    Event.CHECKPOINT_ANCHORED: "the same",
    Event.CHECKPOINT_COSIGNED: "the same",
}
"""Kinds of mes that record work as planned, each with the reason. TRAIL_CHECKED is not one: it may say that the trail is broken."""


def access_event(words: Words, now, before) -> Sequence[Change]:
    return [Change("Station", "", now.station)]


def checkpoint(words: Words, now, before) -> Sequence[Change]:
    announced = [Change("Signs from the next one on", "", now.next_key, True)] if now.next_key else []
    return [Change(f"Checkpoint {now.size}", "", f"{counted(now.streams, 'stream')}, log root {bytes(now.log_root).hex()}"), *announced]


def anchor(words: Words, now, before) -> Sequence[Change]:
    return [Change(f"Checkpoint {now.checkpoint.size}, {plain(now.kind)}", "", f"{now.place}, SHA-256 {now.sha256}")]


def register() -> None:
    kinds.routine(ROUTINE)
    word("mes_accessevent", access_event)
    word("mes_checkpoint", checkpoint)
    word("mes_anchorreceipt", anchor, "checkpoint")
