"""The newest checkpoint that covers a stream, and the two-part proof that the stream's head is in it: head in snapshot, snapshot in log. Decisions 4."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from mes.audit.chain import canonical_json
from mes.checkpoints import keys, merkle
from mes.checkpoints.models import Checkpoint


@dataclass(frozen=True)
class Covered:
    """A stream's head under a checkpoint of its site."""

    checkpoint: Checkpoint
    seq: int
    proof: bytes


def covered(stream: str, site_id) -> Covered | None:
    """The proof for the newest checkpoint of the site that knows the stream; None before the first one. Shows no other stream's name.

    Call it inside the site context.
    """
    checkpoint = Checkpoint.objects.filter(site_id=site_id).order_by("-size").first()
    return None if checkpoint is None else covered_by(checkpoint, stream)


def covered_by(checkpoint: Checkpoint, stream: str) -> Covered | None:
    """The same for this checkpoint; None where it does not know the stream yet."""
    lines = bytes(checkpoint.snapshot).decode().splitlines()
    place = next((number for number, line in enumerate(lines) if line.startswith(f"{stream} ")), None)
    if place is None:
        return None
    earlier = Checkpoint.objects.filter(site_id=checkpoint.site_id, size__lte=checkpoint.size).order_by("size")
    leaves = [bytes(leaf) for leaf in earlier.values_list("leaf", flat=True)]
    return Covered(checkpoint, int(lines[place].split(" ")[1]), _proof(checkpoint, lines, place, leaves))


def _proof(checkpoint: Checkpoint, lines: list[str], place: int, leaves: list[bytes]) -> bytes:
    in_snapshot = merkle.inclusion_proof([merkle.leaf_hash(line.encode()) for line in lines], place)
    in_log = merkle.inclusion_proof([merkle.leaf_hash(leaf) for leaf in leaves], checkpoint.size - 1)
    said = {
        "head": lines[place],
        "snapshot": {"index": str(place), "size": str(len(lines)), "path": [_text(each) for each in in_snapshot]},
        "leaf": bytes(checkpoint.leaf).decode(),
        "log": {"index": str(checkpoint.size - 1), "size": str(checkpoint.size), "path": [_text(each) for each in in_log]},
    }
    return canonical_json(said).encode()


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def key_lines(site_code: str) -> list[str]:
    """The public half of every key that signs or signed the site's checkpoints, as others' tools take it: the newest one after a change too."""
    return [line for line in keys.public_lines() if line.startswith(f"{keys.key_name(site_code)}+")]
