"""The newest entries of a stream in one message: a third of the work that as many rows make. Pure, but for the words of the question.

What a bundle is asked is one thing: does all of it hold, from the entry that was checked before to the head? Where it does not, or is not
in the usual form, nothing is concluded: the stream's entries are then gone over one by one (runs.py), and the break is named there.
"""

from __future__ import annotations

import hashlib
import struct
from binascii import hexlify
from collections.abc import Sequence

from . import canon
from .runs import FIRST, PREV, own

#: Entries that are bundled at most, and the length of their bytes at most: memory stays bounded.
MOST, LONGEST = 256, 65_536
#: Of each stream the entry named and those behind it in their order, as arrays: places, the hash before, the hash, the bytes.
ASK = f"""SELECT b.name, e.* FROM unnest({{}}::text[], {{}}::bigint[]) AS b(name, last) CROSS JOIN LATERAL (
  SELECT array_agg(seq), array_agg(prev_hash), array_agg(hash), array_agg(CASE WHEN octet_length(canon) <= {LONGEST} THEN canon END) FROM (
    SELECT seq, prev_hash, hash, canon FROM mes_auditentry WHERE stream = b.name AND seq >= b.last ORDER BY seq LIMIT {MOST + 1}) AS one) AS e"""  # noqa: S608

_LENGTH = struct.Struct(">i")
_OF_32 = _LENGTH.pack(32)
#: One dimension, no NULL, type, number of elements, counted from 1 (PostgreSQL's array_send).
_ARRAY = struct.Struct(">5i")
_INT8, _BYTEA = 20, 17


def fields(message: bytes) -> list[bytes]:
    """The columns of a row of binary COPY; b"" for NULL."""
    found, at = [], 2
    for _ in range(int.from_bytes(message[:2])):
        (length,) = _LENGTH.unpack_from(message, at)
        at += 4
        found.append(message[at : at + max(length, 0)])
        at += max(length, 0)
    return found


def holds(stream: str, arrays: Sequence[bytes], begins: tuple[int, bytes], head: tuple[int, bytes] | None) -> int | None:
    """How many entries came after the one checked before, when all that was read stands and ends at the head; else None.

    The same is looked at as in runs.Walk: bytes against hash, place, link by column and by bytes. The entry checked before is among them and
    has to have the hash that it had.
    """
    seqs, prevs, hashes, texts = arrays
    last, known = begins
    first = last or 1
    number = 0 if head is None else head[0] - first + 1
    if not 0 < number <= MOST or seqs != _ARRAY.pack(1, 0, _INT8, number, 1) + _places(first, number):
        return None
    bytea = _ARRAY.pack(1, 0, _BYTEA, number, 1)
    if len(prevs) != 20 + 36 * number or texts[:20] != bytea:
        return None
    sha256, prefix, length = hashlib.sha256, canon.ENTRY, _LENGTH.unpack_from
    before = prevs[24:56]
    links, digests = [b"", before], [b""]
    at, place = 20, 0
    for _ in range(number):
        (size,) = length(texts, at)
        text = texts[at + 4 : at + 4 + size]
        at += 4 + size
        link = PREV + hexlify(before)
        if not text.startswith(link, place):
            place = text.find(PREV)
            if not text.startswith(link, place):
                return None
        before = sha256(prefix + text).digest()
        digests.append(before)
    links += digests[1:-1]
    if at != len(texts) or hashes != bytea + _OF_32.join(digests) or prevs != bytea + _OF_32.join(links) or head != (first + number - 1, before):
        return None
    if last:
        return number - 1 if digests[1] == known else None
    at_first = texts[24 : 24 + length(texts, 20)[0]]
    return number if links[1] == FIRST and own(stream, 1, FIRST, digests[1], at_first, digests[1]) is None else None


def _places(first: int, number: int) -> bytes:
    return struct.pack(">" + "iq" * number, *(each for seq in range(first, first + number) for each in (8, seq)))
