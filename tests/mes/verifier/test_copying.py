"""Rows out of PostgreSQL's binary COPY: the usual form by one call, any other without stumbling."""

import struct

import pytest

from mes.verifier.copying import HEADER, batches, rows_of
from mes.verifier.database import Snapshot
from mes.verifier.findings import CannotVerify


def message(seq, prev, digest, stream, text):
    fields = [None if seq is None else struct.pack(">q", seq), prev, digest, stream, text]
    return struct.pack(">h", 5) + b"".join(struct.pack(">i", -1) if f is None else struct.pack(">i", len(f)) + f for f in fields)


def test_rows_of_the_usual_form():
    given = [message(seq, b"p" * 32, b"d" * 32, "lot:Zürich".encode(), b"{}") for seq in (1, 2**40)]
    assert rows_of(given) == [("lot:Zürich", seq, b"p" * 32, b"d" * 32, b"{}") for seq in (1, 2**40)]


@pytest.mark.parametrize(
    ("row", "read"),
    [
        ((7, b"p" * 31, b"d" * 32, b"a", b"{}"), ("a", 7, b"p" * 31, b"d" * 32, b"{}")),
        ((7, b"p" * 32, b"d" * 40, b"a", b"{}"), ("a", 7, b"p" * 32, b"d" * 40, b"{}")),
        ((7, b"p" * 32, None, b"a", b"{}"), ("a", 7, b"p" * 32, b"", b"{}")),
        ((None, b"p" * 32, b"d" * 32, b"a", b"{}"), ("a", 0, b"p" * 32, b"d" * 32, b"{}")),
        ((7, b"p" * 32, b"d" * 32, None, b"{}"), ("", 7, b"p" * 32, b"d" * 32, b"{}")),
        ((7, b"p" * 32, b"d" * 32, b"a", None), ("a", 7, b"p" * 32, b"d" * 32, b"")),
        ((7, None, None, b"a", None), ("a", 7, b"", b"", b"")),
        ((7, b"p" * 32, b"d" * 32, b"", b""), ("", 7, b"p" * 32, b"d" * 32, b"")),
    ],
)
def test_what_somebody_did_to_a_row_is_read_and_not_stumbled_over(row, read):
    assert rows_of([message(*row)]) == [read]


def test_header_and_trailer_are_no_rows():
    assert rows_of([b"", b"\xff\xff"]) == []
    assert HEADER.startswith(b"PGCOPY")


@pytest.mark.req("AUD-07", case="negative")
def test_a_trail_that_cannot_be_read_to_its_end_is_told(committed_db):
    """The reading connection is ended from outside in the middle of a table."""
    snapshot = Snapshot(committed_db.urls["VERIFY_DATABASE_URL"])
    with committed_db.connect(autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [snapshot.connection.info.backend_pid])
    with pytest.raises(CannotVerify, match="cannot be read|could not be read"):
        list(batches(snapshot.connection, "WHERE true"))
    snapshot.close()
    other = Snapshot(committed_db.urls["VERIFY_DATABASE_URL"])
    with pytest.raises(CannotVerify, match="cannot be read"):
        list(batches(other.connection, "WHERE no_such_column"))
    other.close()
