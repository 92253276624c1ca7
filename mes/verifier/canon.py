"""The sealed formats, read from this description, not from the code that writes them.

Entry v1   the bytes are UTF-8 JSON: names sorted, no blanks, no escapes but those JSON demands, canon = 1.
           hash = SHA-256("cartulary:entry:v1" 00 bytes); prev, inside the bytes, is the hash of the entry before.
Row v1     a JSON object of column name to text, names sorted, no blanks. null and booleans are JSON's own; everything
           else is a string: numbers in plain notation with their trailing zeros, UUID lower case, instants as
           2026-11-22T08:00:00.000000Z, dates as 2026-11-22, bytes as lower-case hexadecimal, JSON columns as
           canonical JSON text (a JSON string alone as itself).
           digest = SHA-256("cartulary:row:v1" 00 text).
Schema id  the first 16 hexadecimal digits of SHA-256("table:column,column,…"), columns sorted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable

GENESIS = "00" * 32

ENTRY = b"cartulary:entry:v1\x00"
_ROW = b"cartulary:row:v1\x00"


class Unreadable(ValueError):
    """Bytes that are not in the sealed format."""


def entry_hash(canon: bytes) -> str:
    """SHA-256 of an entry's bytes, in hexadecimal."""
    return hashlib.sha256(ENTRY + canon).hexdigest()


def read_entry(canon: bytes) -> dict:
    """What an entry says. Raises Unreadable when the bytes are not exactly the canonical form of what they say."""
    try:
        entry = json.loads(canon)
        again = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except ValueError as error:
        raise Unreadable(f"its bytes are no JSON ({error})") from error
    if again != canon:
        raise Unreadable("its bytes are not in canonical form")
    if not isinstance(entry, dict) or entry.get("canon") != 1:
        raise Unreadable("it is not an entry of format 1")
    return entry


def schema_id(table: str, columns: Iterable[str]) -> str:
    return hashlib.sha256(f"{table}:{','.join(sorted(columns))}".encode()).hexdigest()[:16]


def row_digest(columns: dict[str, str | bool | None]) -> str:
    """SHA-256 of a row in format 1, in hexadecimal. Values are in their sealed text already."""
    text = json.dumps(columns, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(_ROW + text.encode()).hexdigest()


# --- from PostgreSQL's text to the sealed text ------------------------------------------------------------------------


def as_it_is(text: str) -> str:
    return text


def boolean(text: str) -> bool:
    return text in ("t", "true")


def instant(text: str) -> str:
    """2026-11-22 08:00:00.5+00 -> 2026-11-22T08:00:00.500000Z. The session's zone is UTC."""
    if not text.endswith("+00"):
        raise Unreadable(f"the instant {text!r} is not in UTC")
    day, _, clock = text[:-3].partition(" ")
    return f"{day}T{_six(clock)}Z"


def time_of_day(text: str) -> str:
    """08:00:00.5 -> 08:00:00.500000; whole seconds stay without a fraction."""
    return _six(text) if "." in text else text


def _six(clock: str) -> str:
    whole, _, fraction = clock.partition(".")
    return f"{whole}.{fraction:0<6}"


def binary(text: str) -> str:
    return text[2:]  # PostgreSQL writes \x and lower-case hexadecimal


def document(text: str) -> str | bool | None:
    """A JSON column. Fractions have no sealed form: such a row cannot have been sealed."""
    value = json.loads(text, parse_float=_no_fraction)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _no_fraction(text: str):
    raise Unreadable(f"the JSON number {text} has no sealed form")


#: By PostgreSQL's type number; a type that is not here is sealed as PostgreSQL writes it.
BY_TYPE: dict[int, Callable[[str], str | bool | None]] = {
    16: boolean,
    17: binary,
    114: document,
    1083: time_of_day,
    1184: instant,
    3802: document,
}


def converter(type_number: int) -> Callable[[str], str | bool | None]:
    return BY_TYPE.get(type_number, as_it_is)
