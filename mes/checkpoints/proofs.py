"""Proofs for whoever holds a signed checkpoint: that a stream's head was in it, and that the log only grew. Read inside the site's context.

The two parts of an inclusion: the head is a leaf of the snapshot, the snapshot's leaf is in the site's log (RFC 6962, 2.1.1).
"""

from __future__ import annotations

from typing import TypedDict

from mes.checkpoints import keys, merkle
from mes.checkpoints.models import Checkpoint
from mes.errors import Missing
from mes.people.models import Site

FORMAT = "cartulary-inclusion/1"


class Part(TypedDict):
    """One audit path."""

    index: int
    size: int
    proof: list[str]


class Inclusion(TypedDict):
    """What mes.verifier.inclusion checks, with the site's key from elsewhere."""

    format: str
    origin: str
    stream: str
    seq: str
    hash: str
    snapshot: Part
    leaf: str
    log: Part
    note: str


class Growth(TypedDict):
    """The newest signed checkpoint, and the proof that the log of an earlier size is its beginning."""

    origin: str
    since: int
    size: int
    proof: list[str]
    note: str


def _leaves(site_id) -> list[bytes]:
    leaves = Checkpoint.objects.filter(site_id=site_id).order_by("size").values_list("leaf", flat=True)
    return [merkle.leaf_hash(bytes(leaf)) for leaf in leaves]


def _newest(site_id) -> Checkpoint:
    newest = Checkpoint.objects.filter(site_id=site_id).order_by("-size").first()
    if newest is None:
        raise Missing("no_checkpoint", "No checkpoint of this site was taken yet. One is taken every few minutes while the background runs.")
    return newest


def inclusion(site_id, stream: str, at: int | None = None) -> Inclusion:
    """The proof that a stream's head was in the newest checkpoint, or in the one of size `at`, under the newest note. Raises Missing."""
    newest = _newest(site_id)
    of = newest if at is None else Checkpoint.objects.one(site_id=site_id, size=at)
    lines = bytes(of.snapshot).decode().splitlines()
    index = next((number for number, line in enumerate(lines) if line.startswith(f"{stream} ")), None)
    if index is None:
        raise Missing("not_in_checkpoint", "This stream is not in that checkpoint. What was written since is in the next one.")
    _, seq, digest = lines[index].split(" ")
    leaves = _leaves(site_id)[: newest.size]
    path = merkle.inclusion_proof([merkle.leaf_hash(line.encode()) for line in lines], index)
    up = merkle.inclusion_proof(leaves, of.size - 1)
    return {
        "format": FORMAT, "origin": _origin(site_id), "stream": stream, "seq": seq, "hash": digest,
        "snapshot": {"index": index, "size": len(lines), "proof": [each.hex() for each in path]}, "leaf": bytes(of.leaf).decode(),
        "log": {"index": of.size - 1, "size": newest.size, "proof": [each.hex() for each in up]}, "note": newest.note,
    }  # fmt: skip


def growth(site_id, since: int, to: int | None = None) -> Growth:
    """The consistency proof from a log of size `since` to the newest, or to the one of size `to`. Raises Missing."""
    last = _newest(site_id) if to is None else Checkpoint.objects.one(site_id=site_id, size=to)
    if not 0 < since <= last.size:
        raise Missing("no_such_size", f"The log of this site has {last.size} checkpoints; there is none of size {since}.")
    path = merkle.consistency_proof(_leaves(site_id)[: last.size], since)
    return {"origin": _origin(site_id), "since": since, "size": last.size, "proof": [each.hex() for each in path], "note": last.note}


def _origin(site_id) -> str:
    return keys.key_name(Site.objects.values_list("code", flat=True).get(pk=site_id))
