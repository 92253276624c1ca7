"""Checkpoints are taken and anchored by the background, never by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from mes.checkpoints import keys, merkle, notes
from mes.checkpoints.models import Witnessed
from mes.errors import NotAllowed, RuleBroken
from mes.records.actors import Actor


def check_can_take_checkpoint(*, by: Actor) -> None:
    if by.kind != "system":
        raise NotAllowed("checkpoint_by_person", "Checkpoints are taken by the background jobs.")


def check_can_announce_key(*, by: Actor, reason: str) -> None:
    if by.kind != "system":
        raise NotAllowed("key_by_person", "The key of checkpoints is changed by the installation's command.")
    if not reason.strip():
        raise RuleBroken("key_without_reason", "Say why the key is changed.", field="reason")


def check_key_is_there(*, site_code: str, number: int, is_first: bool) -> None:
    """A log that began goes on with its own key: a lost one is never silently replaced."""
    if not is_first and not keys.has_site_key(site_code, number):
        raise RuleBroken("checkpoint_key_lost", f"The key that signs the checkpoints of {site_code} is not in the keys folder. Restore it from a backup.")


def check_can_record_trail_check(*, by: Actor) -> None:
    if by.kind != "system":
        raise NotAllowed("check_by_person", "Checks of the trail are recorded by the background jobs.")


def check_can_record_anchor(*, by: Actor, sha256: str, content: bytes) -> None:
    if by.kind != "system":
        raise NotAllowed("anchor_by_person", "Anchors are recorded by the background jobs.")
    if len(sha256) != 64:
        raise RuleBroken("anchor_without_digest", "An anchor names the SHA-256 of what lies there.")
    if content and hashlib.sha256(content).hexdigest() != sha256:
        raise RuleBroken("anchor_of_other_content", "The SHA-256 of an anchor is that of what is kept with it.")


def check_can_cosign(*, by: Actor, said: notes.Checkpoint, last: Witnessed | None, since: int, proof: Sequence[bytes]) -> None:
    """A witness never signs two histories: what it is shown must begin with what it saw last (C2SP tlog-witness)."""
    if by.kind != "system":
        raise NotAllowed("cosigned_by_person", "Checkpoints are co-signed by the background jobs.")
    seen = last.size if last else 0
    if since != seen:
        raise RuleBroken("other_last_size", f"This witness saw {said.origin} last at size {seen}; the request goes on from {since}.", detail={"size": seen})
    if last is None:
        return
    if said.size < last.size:
        raise RuleBroken(
            "log_shrank",
            f"{said.origin} had {last.size} checkpoints and is said to have {said.size}. Nothing was signed; call quality.",
            security="log_refused",
        )
    if not merkle.verify_consistency(last.size, said.size, bytes(last.root), said.root, proof):
        raise RuleBroken(
            "log_forked", f"Checkpoint {said.size} of {said.origin} does not continue checkpoint {last.size}, which this witness signed. Nothing was signed; "
            "call quality.", security="log_refused",
        )  # fmt: skip
