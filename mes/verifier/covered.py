"""A signed checkpoint, and the proof in two parts that a stream's head is under it: head in snapshot, snapshot in log (RFC 6962, RFC 9162 2.1.3.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from .keys import Keys


class NotProven(ValueError):
    """A checkpoint or a proof that does not hold; a sentence."""


@dataclass(frozen=True)
class Note:
    """What a signed checkpoint says."""

    size: int
    root: bytes
    snapshot_root: bytes
    streams: int


def read_note(note: bytes, name: str, keys: Keys) -> Note:
    """The checkpoint, its signature checked by a key of that name. Raises NotProven."""
    try:
        body, separator, marks = note.decode().rpartition("\n\n")
        body += "\n"
        lines = body.splitlines()
        signed = any(
            keys.signed(name, body.encode(), base64.b64decode(words[2], validate=True)[4:])
            for words in (line.split(" ") for line in marks.splitlines())
            if len(words) == 3 and words[1] == name
        )
        if not separator or not signed or lines[0] != name:
            raise NotProven(f"the checkpoint is not signed by a key of {name}")
        word, root, streams = lines[3].split(" ")
        if word != "snapshot":
            raise NotProven("the checkpoint names no snapshot")
        return Note(int(lines[1]), base64.b64decode(lines[2], validate=True), base64.b64decode(root, validate=True), int(streams))
    except (ValueError, IndexError, binascii.Error) as error:
        raise error if isinstance(error, NotProven) else NotProven(f"the checkpoint cannot be read: {error}") from error


def check(proof: bytes, note: Note) -> tuple[str, int, str]:
    """Stream, sequence and hash of the head that the proof puts under the checkpoint. Raises NotProven."""
    try:
        said = json.loads(proof)
        head, leaf = said["head"], said["leaf"]
        stream, seq, digest = head.split(" ")
        in_snapshot, in_log = (
            (int(part["index"]), int(part["size"]), [base64.b64decode(each, validate=True) for each in part["path"]])
            for part in (said["snapshot"], said["log"])
        )
        named = bytes.fromhex(json.loads(leaf)["snapshot"])
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise NotProven(f"the proof cannot be read: {error}") from error
    if in_snapshot[1] != note.streams or not included(head.encode(), *in_snapshot, note.snapshot_root):
        raise NotProven("the stream's head is not in the snapshot that was signed")
    if named != note.snapshot_root or in_log[1] != note.size or not included(leaf.encode(), *in_log, note.root):
        raise NotProven("the snapshot is not in the log that was signed")
    return stream, int(seq), digest


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf stands at an index of a tree of that size and root."""
    if not 0 <= index < size:
        return False
    fn, sn, value = index, size - 1, hashlib.sha256(b"\x00" + leaf).digest()
    for sibling in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            value = hashlib.sha256(b"\x01" + sibling + value).digest()
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = hashlib.sha256(b"\x01" + value + sibling).digest()
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and value == root
