"""Checkpoints are taken and anchored by the background, never by hand."""

from __future__ import annotations

import hashlib

from mes.errors import NotAllowed, RuleBroken
from mes.records.actors import Actor


def check_can_take_checkpoint(*, by: Actor) -> None:
    if by.kind != "system":
        raise NotAllowed("checkpoint_by_person", "Checkpoints are taken by the background jobs.")


def check_can_record_anchor(*, by: Actor, sha256: str, content: bytes) -> None:
    if by.kind != "system":
        raise NotAllowed("anchor_by_person", "Anchors are recorded by the background jobs.")
    if len(sha256) != 64:
        raise RuleBroken("anchor_without_digest", "An anchor names the SHA-256 of what lies there.")
    if content and hashlib.sha256(content).hexdigest() != sha256:
        raise RuleBroken("anchor_of_other_content", "The SHA-256 of an anchor is that of what is kept with it.")
