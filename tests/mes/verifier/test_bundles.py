"""The newest entries of a stream in one message: what holds is told at once, and anything else is left to the walk that names it."""

import itertools
import random
import struct

import pytest

from mes.verifier import bundles, copying
from mes.verifier.bundles import MOST, fields, holds
from tests.mes.verifier.test_links import SPOILS, made, quick, sealed  # noqa: F401 - a fixture

FIRST = bytes(32)


def array(kind: int, values: list[bytes | None]) -> bytes:
    """As array_send of PostgreSQL writes it."""
    head = struct.pack(">5i", 1, int(None in values), kind, len(values), 1)
    return head + b"".join(struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value for value in values)


def arrays(rows) -> list[bytes]:
    if not rows:
        return [b""] * 4
    return [array(20, [struct.pack(">q", row[1]) for row in rows]), *(array(17, [row[at] for row in rows]) for at in (2, 3, 4))]


def at_head(rows):
    return rows[-1][1], rows[-1][3]


@pytest.mark.req("AUD-07", case="positive")
@pytest.mark.parametrize("number", [1, 2, 50, MOST])
def test_a_stream_from_its_beginning_and_from_a_sealed_entry(number):
    rows = made("lot:a", number)
    assert holds("lot:a", arrays(rows), (0, FIRST), at_head(rows)) == number
    for at in {0, number // 2, number - 1}:
        assert holds("lot:a", arrays(rows[at:]), (rows[at][1], rows[at][3]), at_head(rows)) == number - 1 - at


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.parametrize(("name", "seed", "sealed_at"), list(itertools.product(SPOILS, range(4), [0, 5])))
def test_every_spoil_is_left_to_the_walk(name, seed, sealed_at):
    rows = made("lot:a", 30)
    begins = (sealed_at, rows[sealed_at - 1][3] if sealed_at else FIRST)
    spoilt = SPOILS[name](rows, random.Random(seed).randrange(sealed_at + 2, 29))
    spoilt = sorted((row for row in spoilt if row[1] >= sealed_at), key=lambda row: row[1])
    assert holds("lot:a", arrays(spoilt), begins, at_head(rows)) is None, name


@pytest.mark.req("AUD-07", case="negative")
def test_a_sealed_entry_that_is_another_or_gone_does_not_hold():
    rows = made("lot:a", 9)
    assert holds("lot:a", arrays(rows[4:]), (5, rows[3][3]), at_head(rows)) is None
    assert holds("lot:a", arrays(rows[5:]), (5, rows[4][3]), at_head(rows)) is None
    assert holds("lot:a", arrays([]), (5, rows[4][3]), at_head(rows)) is None


@pytest.mark.req("AUD-07", case="negative")
def test_a_head_that_says_something_else_does_not_hold():
    rows = made("lot:a", 9)
    for head in ((8, rows[7][3]), (10, rows[8][3]), (9, rows[7][3]), None):
        assert holds("lot:a", arrays(rows), (0, FIRST), head) is None


@pytest.mark.req("AUD-07", case="negative")
def test_a_stream_under_the_name_of_another_does_not_hold():
    rows = made("lot:a", 9)
    assert holds("lot:b", arrays(rows), (0, FIRST), at_head(rows)) is None


@pytest.mark.req("AUD-07", case="negative")
def test_no_length_and_no_null_makes_one_field_pass_for_another():
    rows = made("lot:a", 9)
    for place, value in itertools.product((2, 3, 4), (None, b"", rows[4][3][:31], rows[4][3] + b"x")):
        spoilt = [row if row[1] != 5 else (*row[:place], value, *row[place + 1 :]) for row in rows]
        assert holds("lot:a", arrays(spoilt), (0, FIRST), at_head(rows)) is None
    cut = [(*row[:4], row[4][:-1]) if row[1] == 5 else (*row[:4], rows[4][4][-1:] + row[4]) if row[1] == 6 else row for row in rows]
    assert holds("lot:a", arrays(cut), (0, FIRST), at_head(rows)) is None


def test_the_fields_of_a_message():
    assert fields(struct.pack(">hi", 3, 5) + b"lot:a" + struct.pack(">ii", -1, 0)) == [b"lot:a", b"", b""]


# --- in the check since a checkpoint -----------------------------------------------------------------------------------


@pytest.mark.req("AUD-07", case="positive")
def test_streams_that_hold_are_not_read_entry_by_entry(sealed, monkeypatch):  # noqa: F811
    monkeypatch.setattr(copying, "batches", None)
    report = quick(sealed, since_checkpoint=True)
    assert report.intact
    assert report.entries >= 4


@pytest.mark.req("AUD-07", case="positive")
@pytest.mark.parametrize(("name", "value"), [("MOST", 0), ("holds", lambda *_: None)])
def test_streams_with_many_new_entries_are_read_one_by_one_and_come_to_the_same(sealed, monkeypatch, name, value):  # noqa: F811
    told = quick(sealed, since_checkpoint=True)
    monkeypatch.setattr(bundles, name, value)
    report = quick(sealed, since_checkpoint=True)
    assert (report.intact, report.streams, report.entries) == (True, told.streams, told.entries)


@pytest.mark.req("AUD-07", case="negative")
def test_two_streams_that_changed_names_since_the_checkpoint_are_found(sealed):  # noqa: F811
    steps = (("lot:one", "lot:x"), ("lot:two", "lot:one"), ("lot:x", "lot:two"))
    change = [f"UPDATE {table} SET stream = '{new}' WHERE stream = '{old}'" for table in ("mes_auditentry", "mes_streamhead") for old, new in steps]
    rows = {name: made(name, 3) for name in ("lot:one", "lot:two")}
    insert = (
        "INSERT INTO mes_auditentry SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid(), 'stream', '{0}', 'seq', {1}))).*"
        " FROM mes_auditentry e LIMIT 1"
    )
    head = "INSERT INTO mes_streamhead (stream, site_id, seq, hash) SELECT '{0}', site_id, 3, '\\x{1}' FROM mes_streamhead LIMIT 1"
    fill = "UPDATE mes_auditentry SET prev_hash = '\\x{2}', hash = '\\x{3}', canon = '\\x{4}' WHERE stream = '{0}' AND seq = {1}"
    put = []
    for name, entries in rows.items():
        for _, seq, before, digest, text in entries:
            put += [insert.format(name, seq), fill.format(name, seq, before.hex(), digest.hex(), text.hex())]
        put.append(head.format(name, entries[-1][3].hex()))
    sealed.spoil("ben", put)
    assert quick(sealed, since_checkpoint=True).intact
    sealed.spoil("ben", change)
    found = quick(sealed, since_checkpoint=True).findings.first
    assert {(stream, each.kind, each.seq) for stream, each in found.items()} == {("lot:one", "swap", 1), ("lot:two", "swap", 1)}
