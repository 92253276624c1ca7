"""The entries of a trail as COPY gives them: a third of the work that a cursor makes of the same rows, on both sides.

Read through libpq by its public names: one message is one row of five columns in PostgreSQL's binary form (PostgreSQL 15, "COPY", binary
format). A row of the usual form (numbers and digests of the right lengths, nothing NULL) is taken apart by one call; any other by the
general way, so that what somebody did to a row is seen and not stumbled over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import psycopg
from psycopg import pq

from .findings import CannotVerify
from .runs import Row

#: What a row holds, in the order in which it is asked for: what has a fixed length first.
COLUMNS = "seq, prev_hash, hash, stream, canon"
HEADER = b"PGCOPY\n\xff\r\n\x00"
#: Eleven bytes of the signature, flags, and the length of an extension that this version does not have.
HEADER_LENGTH = len(HEADER) + 8
#: Number of columns; a bigint and two SHA-256, each behind its length; the length of the name of a stream. What follows differs from row to row.
USUAL = struct.Struct(">hiqi32si32si")
LENGTH = struct.Struct(">i")
#: Bytes that are held at once: so few that they lie near the processor still when they are hashed, and that the server does not wait.
AT_ONCE = 500_000


def batches(connection: psycopg.Connection, which: str) -> Iterator[list[Row]]:
    """Rows of mes_auditentry, several at a time, of about the same number of bytes; `which` is what follows the table's name in SQL.

    Raises CannotVerify when they end before the end.
    """
    for some in messages(connection, f"SELECT {COLUMNS} FROM mes_auditentry {which}"):  # noqa: S608 - the caller's fixed words, texts in it quoted
        yield rows_of(some)


def messages(connection: psycopg.Connection, question: str) -> Iterator[list[bytes]]:
    """Rows of any question as they come, several at a time. Raises CannotVerify when they end before the end."""
    libpq = connection.pgconn
    answer = libpq.exec_(f"COPY ({question}) TO STDOUT (FORMAT BINARY)".encode())
    if answer.status != pq.ExecStatus.COPY_OUT:
        raise CannotVerify(f"The trail cannot be read: {answer.error_message.decode(errors='replace').strip()}")
    some: list[bytes] = []
    held, skip = 0, HEADER_LENGTH
    more = libpq.get_copy_data
    while True:
        try:
            length, message = more(0)
        except psycopg.Error as error:
            raise CannotVerify(f"The trail could not be read to its end: {error}") from error
        if length < 0:
            break
        some.append(bytes(message)[skip:] if skip else bytes(message))
        skip = 0
        held += length
        if held >= AT_ONCE:
            yield some
            some, held = [], 0
    while (end := libpq.get_result()) is not None:
        if end.status != pq.ExecStatus.COMMAND_OK:
            raise CannotVerify(f"The trail could not be read to its end: {end.error_message.decode(errors='replace').strip()}")
    yield some


def rows_of(messages: list[bytes]) -> list[Row]:
    """Rows out of their messages; a header and a trailer that came alone are none."""
    rows: list[Row] = []
    add, take, size = rows.append, USUAL.unpack_from, USUAL.size
    for message in messages:
        if len(message) <= size:
            if len(message) > 2:
                add(_unusual(message))
            continue
        columns, of_seq, seq, of_prev, prev, of_hash, digest, end = take(message)
        end += size
        if columns != 5 or of_seq != 8 or of_prev != 32 or of_hash != 32 or end < size or message[end] > 127:
            add(_unusual(message))
        else:
            add((message[size:end].decode(), seq, prev, digest, message[end + 4 :]))
    return rows


def _unusual(message: bytes) -> Row:
    """A row in which some column has another length or is NULL (then it is a value that fits nothing)."""
    fields, at = [], 2
    for _ in range(5):
        (length,) = LENGTH.unpack_from(message, at)
        at += LENGTH.size
        fields.append(b"" if length < 0 else message[at : at + length])
        at += max(length, 0)
    seq, prev, digest, stream, text = fields
    return stream.decode(), int.from_bytes(seq, signed=True), prev, digest, text
