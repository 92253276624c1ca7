"""The chain: canonical bytes and digests, as pure functions. A format once written is never edited; a new one is added.

Row canon v1: a JSON object of column name to text, keys sorted, no blanks, UTF-8. null is null; booleans are JSON
booleans; everything else is a string: UUID lower case, integers and decimals in plain notation with their trailing
zeros, instants as RFC 3339 UTC with six decimals and `Z`, dates ISO, bytes as lower-case hexadecimal, JSON columns as
their own canonical JSON text. Entry canon v1: a JSON object as built by `entry_canon`. Hash: SHA-256 over a domain
prefix, a zero byte and the canonical bytes.
"""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from json.encoder import c_make_encoder
from json.encoder import encode_basestring as quoted  # how json.dumps() writes a text
from typing import Any

ROW_DOMAIN = b"cartulary:row:v1\x00"
ENTRY_DOMAIN = b"cartulary:entry:v1\x00"
GENESIS = bytes(32)


def canonical_json(value: Any) -> str:
    """Canonical JSON text: sorted keys, no blanks, UTF-8. Floats are refused: measured values are text."""
    _refuse_floats(value)
    return "".join(_WRITE(value, 0))


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
# What the encoder makes for each text anew, made once: json.encoder, iterencode().
_WRITE = c_make_encoder(None, str, quoted, None, ":", ",", True, False, True) if c_make_encoder else lambda value, _: _ENCODER.iterencode(value)


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("binary floats have no canonical form here; keep the number as text")
    if type(value) is dict or isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for item in value:
        if type(item) is not str:  # nearly all are
            _refuse_floats(item)


def instant(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def column_text(value: Any) -> Any:
    """One column value in row canon v1."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, uuid.UUID | int):
        return str(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        return instant(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list | tuple):
        return canonical_json(value)
    raise TypeError(f"no canonical form for {type(value).__name__}")


def _in_quotes(value: Any) -> str:
    return f'"{value}"'


_AS_IT_IS: dict[type, Callable[[Any], str]] = {
    type(None): lambda value: "null",
    bool: lambda value: "true" if value else "false",
    str: quoted,
    uuid.UUID: _in_quotes,
    int: _in_quotes,
    decimal.Decimal: lambda value: f'"{value:f}"',
    dt.datetime: lambda value: f'"{instant(value)}"',
    dict: lambda value: quoted(canonical_json(value)),
}
"""The commonest values, as they stand in the text of a row; all others, and kinds of these, go through column_text()."""


def row_digest(columns: Mapping[str, Any]) -> bytes:
    """SHA-256 (32 bytes) of one row's columns in row canon v1."""
    return digest_of((named(name), columns[name]) for name in sorted(columns))


def digest_of(columns: Iterable[tuple[str, Any]]) -> bytes:
    """The same of names as named() writes them, with their values, in the order of the names: for whoever digests many rows of one table."""
    known = _AS_IT_IS
    parts = [name + (known[type(value)](value) if type(value) in known else _seldom(value)) for name, value in columns]
    return hashlib.sha256(ROW_DOMAIN + f"{{{','.join(parts)}}}".encode()).digest()


def _seldom(value: Any) -> str:
    text = column_text(value)
    return quoted(text) if isinstance(text, str) else "null" if text is None else "true" if text else "false"


def named(column: str) -> str:
    """A column's name as it stands in the text of a row."""
    return f"{quoted(column)}:"


def schema_id(table: str, columns: Iterable[str]) -> str:
    """The id (16 hexadecimal digits) under which a table's column list is kept for ever."""
    return hashlib.sha256(f"{table}:{','.join(sorted(columns))}".encode()).hexdigest()[
        :16
    ]


def entry_canon(entry: Mapping[str, Any]) -> bytes:
    """The exact bytes of one audit entry; they are stored beside it."""
    return canonical_json(entry).encode()


def entry_hash(canon: bytes) -> bytes:
    """SHA-256 (32 bytes) of an entry's bytes. The previous entry's hash is inside the bytes."""
    return hashlib.sha256(ENTRY_DOMAIN + canon).digest()
