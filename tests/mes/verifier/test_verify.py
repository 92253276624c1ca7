"""The independent verifier finds and names every kind of break that somebody with all rights can make."""

import ast
import datetime as dt
import json
import sys
import tracemalloc
import uuid
from decimal import Decimal
from pathlib import Path

import pytest

from mes.audit import chain
from mes.events import Event
from mes.people import services
from mes.records.door import service
from mes.verifier import canon, database, run
from mes.verifier import chain as chain_walk
from mes.verifier.database import CannotVerify
from tests.mes.verifier.breaks import BREAKS, NEW_ID

VERIFIER = Path(run.__file__).parent


@pytest.mark.req("AUD-07", case="positive")
def test_what_the_application_wrote_is_intact(whole):
    report = whole.verify()
    assert report.intact, [str(finding) for finding in report.findings.kept]
    with whole.database.connect() as connection:
        (entries,) = connection.execute("SELECT count(*) FROM mes_auditentry").fetchone()
        (streams,) = connection.execute("SELECT count(DISTINCT stream) FROM mes_auditentry").fetchone()
        (rows,) = connection.execute("SELECT count(*) FROM mes_auditrow").fetchone()
    assert (report.streams, report.entries, report.cited, report.rows) == (streams, entries, rows, rows)
    assert report.sentence() == f"{streams} streams, {entries} entries, all intact"


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.parametrize("name", BREAKS)
def test_each_break_is_found_and_named(spoilt, name):
    expected, found = BREAKS[name], spoilt.report.findings.first[spoilt.stream(name)]
    assert found.kind == expected.kind, found
    assert expected.seq in (None, found.seq), found
    assert expected.table in ("", found.table), found
    assert expected.words in found.sentence, found
    assert spoilt.stream(name) in str(found)


@pytest.mark.req("AUD-07", case="negative")
def test_streams_that_nobody_touched_are_not_accused(spoilt):
    accused = set(spoilt.report.findings.first) - {""}  # rows whose whole stream is gone belong to none
    assert accused == {spoilt.stream(name) for name in BREAKS}


@pytest.mark.req("AUD-07", case="negative")
def test_an_entry_rewritten_with_its_own_hash_is_a_fork_at_the_next(trail):
    with trail.superuser() as connection:
        (raw,) = connection.execute("SELECT canon FROM mes_auditentry WHERE stream = %s AND seq = 2", [trail.stream("ben")]).fetchone()
    said = json.loads(raw) | {"reason": "rewritten"}
    canon_now = chain.entry_canon(said)
    trail.spoil(
        "ben",
        ["UPDATE mes_auditentry SET canon = %(canon)s, hash = %(hash)s, reason = 'rewritten' WHERE stream = %(stream)s AND seq = 2"],
        canon=canon_now,
        hash=chain.entry_hash(canon_now),
    )
    found = trail.verify().findings.first[trail.stream("ben")]
    assert (found.kind, found.seq) == ("fork", 3)


@pytest.mark.req("AUD-07", case="negative")
def test_two_entries_in_one_place_are_a_fork(trail):
    with trail.superuser() as connection:
        connection.execute("ALTER TABLE mes_auditentry DROP CONSTRAINT audit_entry_one_per_seq")
        connection.execute("CREATE TEMP TABLE twin AS SELECT * FROM mes_auditentry WHERE stream = %s AND seq = 2", [trail.stream("ben")])
        (raw,) = connection.execute("SELECT canon FROM twin").fetchone()
        said = json.loads(raw) | {"id": "ffffffff-ffff-7fff-bfff-ffffffffffff", "rows": []}
        canon_now = chain.entry_canon(said)
        connection.execute("UPDATE twin SET id = %s, canon = %s, hash = %s", [said["id"], canon_now, chain.entry_hash(canon_now)])
        connection.execute("INSERT INTO mes_auditentry SELECT * FROM twin")
    found = trail.verify().findings.first[trail.stream("ben")]
    assert (found.kind, found.seq, found.sentence) == ("fork", 2, "there are two entries #2")


@pytest.mark.req("AUD-07", case="negative")
def test_an_end_cut_off_with_its_audit_rows_and_its_head_put_back_leaves_rows_that_nobody_cites(trail):
    later = "SELECT id FROM mes_auditentry WHERE stream = %(stream)s AND seq >= 4"
    trail.spoil(
        "ben",
        [
            f"DELETE FROM mes_auditrow WHERE entry_id IN ({later})",
            "DELETE FROM mes_auditentry WHERE stream = %(stream)s AND seq >= 4",
            "UPDATE mes_streamhead SET seq = 3, hash = (SELECT hash FROM mes_auditentry WHERE stream = %(stream)s AND seq = 3) WHERE stream = %(stream)s",
        ],
    )
    report = trail.verify()
    assert set(report.findings.by_kind) == {"uncited"}
    assert {found.table for found in report.findings.kept} == {"mes_user", "mes_qualification", "quality_secretnotice"}


@pytest.mark.req("AUD-07", case="negative")
def test_an_inserted_fact_that_no_entry_cites_is_named(trail):
    trail.spoil(
        "ben",
        [
            "INSERT INTO mes_accessevent (id, site_id, by_id, kind, station, recorded_at, tx) SELECT %(new)s::uuid,"
            " site_id, id, 'in', '', now(), pg_current_xact_id() FROM mes_user WHERE id = %(user)s"
        ],
    )
    (found,) = trail.verify().findings.kept
    assert (found.kind, found.table, found.row_id) == ("uncited", "mes_accessevent", NEW_ID)


@pytest.mark.req("AUD-07", case="negative")
def test_the_other_streams_of_a_deed_are_asked_for(trail):
    by = trail.place.setup

    @service(Event.ROLE_DEFINED)
    def two_streams(*, by):
        services.record_sign_in(by=by)
        return services.define_role(by=by, code="two", name="Two", permissions=["mes.read_audit"])

    two_streams(by=by)
    assert trail.verify().intact
    lost = f"security:{by.site_id}"
    trail.spoil(
        "ben",
        [
            "DELETE FROM mes_auditrow WHERE \"table\" = 'mes_accessevent'",
            "DELETE FROM mes_accessevent",
            "DELETE FROM mes_auditentry WHERE stream = %(lost)s",
            "DELETE FROM mes_streamhead WHERE stream = %(lost)s",
        ],
        lost=lost,
    )
    (found,) = trail.verify().findings.kept
    assert (found.kind, found.stream) == ("missing", lost)
    assert f"site:{by.site_id}" in found.sentence


def test_one_stream_can_be_checked_alone(spoilt):
    assert spoilt.verify(f"site:{spoilt.place.site.pk}").intact
    stream = spoilt.stream("entry_deleted")
    report = spoilt.verify(stream)
    assert (report.streams, report.findings.first[stream].kind) == (1, "gap")
    with pytest.raises(CannotVerify, match="There is no stream"):
        spoilt.verify("lot:none")


@pytest.mark.req("AUD-07", case="negative")
def test_the_first_break_of_a_stream_is_the_earliest(trail):
    trail.spoil(
        "ben",
        [
            "DELETE FROM mes_auditentry WHERE stream = %(stream)s AND seq = 4",
            "UPDATE mes_userhistory SET full_name = 'X' WHERE id = %(user)s AND version = 1",
        ],
    )
    report = trail.verify()
    assert report.findings.first[trail.stream("ben")].seq == 1
    assert report.findings.by_kind["gap"] == 1


def test_the_verifier_imports_nothing_but_psycopg_and_the_standard_library():
    for path in VERIFIER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                top = name.split(".")[0]
                assert top == "psycopg" or top in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_memory_does_not_grow_with_the_trail(trail):
    """A cursor of the server hands over batches: nothing holds all entries."""
    for _ in range(300):
        services.record_sign_in(by=trail.place.setup)
    peaks = []
    for batch in (10, 400):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(database, "BATCH", batch)
            patch.setattr(chain_walk, "BATCH", batch)
            tracemalloc.start()
            assert trail.verify().intact
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[0] < peaks[1] * 0.7, peaks


def test_both_sides_read_the_sealed_formats_alike():
    """The writer's and the verifier's own code agree on every kind of value."""
    moment = dt.datetime(2026, 11, 22, 8, 0, 0, 500, tzinfo=dt.UTC)
    key = uuid.uuid4()
    written = {
        "n": None, "t": True, "text": "Ä \"q\" \\ \n\u2028", "i": 7, "d": Decimal("1.500"), "at": moment, "u": key,
        "b": b"\x00\xff", "day": dt.date(2026, 1, 2), "clock": dt.time(8, 0, 0, 5), "j": {"b": [1, "x", None], "a": "é"},
    }  # fmt: skip
    read = {
        "n": None,
        "t": canon.boolean("t"),
        "text": written["text"],
        "i": "7",
        "d": "1.500",
        "at": canon.instant("2026-11-22 08:00:00.0005+00"),
        "u": str(key),
        "b": canon.binary("\\x00ff"),
        "day": "2026-01-02",
        "clock": canon.time_of_day("08:00:00.000005"),
        "j": canon.document('{"b": [1, "x", null], "a": "é"}'),
    }
    assert canon.row_digest(read) == chain.row_digest(written).hex()
    assert canon.schema_id("t", ["b", "a"]) == chain.schema_id("t", ["a", "b"])
