"""The proof that a stream's head was in a signed checkpoint, checked from the proof and the key alone: no database, no server.

Two parts: the line "stream seq hash" is a leaf of the snapshot of that moment, and the snapshot's own leaf is in the site's log, whose root
the signed note states. The note may be a later one than the snapshot: a log only grows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from . import merkle, notes


class NotProven(ValueError):
    """The proof does not hold: a sentence that says where."""


def check(proof: Mapping, key: str) -> str:
    """What the proof proves, in words. `key` is the key's text, from somebody else than the proof. Raises NotProven."""
    try:
        said = notes.read(proof["note"], notes.read_key(key))
        line = f"{proof['stream']} {proof['seq']} {proof['hash']}"
        in_snapshot, in_log = proof["snapshot"], proof["log"]
        root = merkle.root_from(merkle.leaf_of(line.encode()), in_snapshot["index"], in_snapshot["size"], _path(in_snapshot))
        leaf = json.loads(proof["leaf"])
        sealed = (leaf["snapshot"], leaf["streams"])
        top = merkle.root_from(merkle.leaf_of(proof["leaf"].encode()), in_log["index"], in_log["size"], _path(in_log))
    except (notes.BadNote, merkle.BadProof) as error:
        raise NotProven(f"The proof does not hold: {error}.") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotProven(f"This is no proof: {error!r}.") from error
    if sealed != (root.hex(), str(in_snapshot["size"])):
        raise NotProven("The proof does not hold: the line is not in the snapshot.")
    if (top, in_log["size"]) != (said.root, said.size):
        raise NotProven("The proof does not hold: the snapshot is not in the log that was signed.")
    return f"{proof['stream']} stood at entry {proof['seq']} with hash {proof['hash']} in checkpoint {in_log['index'] + 1} of {said.origin}."


def _path(part: Mapping) -> list[bytes]:
    return [bytes.fromhex(each) for each in part["proof"]]
