"""The quick check of all links: what it finds, in whatever order entries lie, and what it leaves to the whole check."""

import hashlib
import itertools
import json
import random
import tracemalloc

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from mes.audit import chain
from mes.checkpoints import anchors as checkpoints
from mes.people import services
from mes.people.setup import system_actor
from mes.verifier import links, run
from mes.verifier.database import CannotVerify
from mes.verifier.runs import FIRST, TooMany, Walk, judge
from tests.mes.verifier.breaks import BREAKS

#: Breaks of bytes, hashes, order, links and heads; the others are of columns, rows and records, for the whole check alone.
OF_LINKS = {
    "link_of_an_entry", "bytes_of_an_entry", "hash_of_an_entry", "format_of_an_entry", "entry_deleted", "entries_swapped", "end_cut_off",
    "everything_cut_off", "head_moved_back", "head_changed", "head_deleted", "entry_doubled",
}  # fmt: skip


def quick(trail, **more):
    return links.verify(trail.database.urls["VERIFY_DATABASE_URL"], **more)


# --- a whole database -------------------------------------------------------------------------------------------------


@pytest.mark.req("AUD-07", case="positive")
@pytest.mark.parametrize("jobs", [1, 2])
def test_what_the_application_wrote_holds_in_one_process_and_in_two(whole, monkeypatch, jobs):
    monkeypatch.setattr(links, "SMALL", 0)
    report, told = quick(whole, jobs=jobs), whole.verify()
    assert report.intact, [str(finding) for finding in report.findings.kept]
    assert (report.streams, report.entries) == (told.streams, told.entries)
    assert report.sentence() == f"{told.streams} streams, {told.entries} entries, all links hold"
    assert "Not looked at" in report.notes[0]


@pytest.fixture(scope="module")
def quickly(spoilt):
    return quick(spoilt)


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.parametrize("name", sorted(OF_LINKS))
def test_each_break_of_bytes_hash_order_and_head_is_found(spoilt, quickly, name):
    found, expected = quickly.findings.first[spoilt.stream(name)], BREAKS[name]
    assert found.kind == expected.kind, found
    assert expected.seq in (None, found.seq), found


@pytest.mark.req("AUD-07", case="negative")
def test_what_it_does_not_look_at_is_found_by_the_whole_check_only(spoilt, quickly):
    assert set(quickly.findings.first) == {spoilt.stream(name) for name in OF_LINKS}
    assert {spoilt.stream(name) for name in set(BREAKS) - OF_LINKS} <= set(spoilt.report.findings.first)


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.parametrize(("jobs", "most"), [(2, 400_000), (1, 60), (2, 60)])
def test_pieces_and_rounds_find_the_same(spoilt, quickly, monkeypatch, jobs, most):
    monkeypatch.setattr(links, "SMALL", 0)
    monkeypatch.setattr(links, "MOST_RUNS", most)
    report = quick(spoilt, jobs=jobs)
    assert set(report.findings.kept) == set(quickly.findings.kept)
    assert (report.streams, report.entries) == (quickly.streams, quickly.entries)


@pytest.mark.req("AUD-07", case="negative")
def test_a_part_that_cannot_be_read_is_not_passed_over(whole, monkeypatch):
    monkeypatch.setattr(links.Snapshot, "mark", lambda self: "00000000-00000000-1")
    monkeypatch.setattr(links, "SMALL", 0)
    with pytest.raises(CannotVerify, match="A part of the trail could not be read"):
        quick(whole, jobs=2)


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.parametrize(("next_link", "expected"), [("", ("fork", 3)), (", prev_hash = %(hash)s", ("edit", 3))])
def test_an_entry_rewritten_with_its_own_hash_is_found_at_the_next_whatever_the_columns_there_say(trail, next_link, expected):
    with trail.superuser() as connection:
        (raw,) = connection.execute("SELECT canon FROM mes_auditentry WHERE stream = %s AND seq = 2", [trail.stream("ben")]).fetchone()
    fresh = chain.entry_canon(json.loads(raw) | {"reason": "rewritten"})
    statements = ["UPDATE mes_auditentry SET canon = %(canon)s, hash = %(hash)s, reason = 'rewritten' WHERE stream = %(stream)s AND seq = 2"]
    if next_link:
        statements.append("UPDATE mes_auditentry SET prev_hash = %(hash)s WHERE stream = %(stream)s AND seq = 3")
    trail.spoil("ben", statements, canon=fresh, hash=chain.entry_hash(fresh))
    found = quick(trail).findings.first[trail.stream("ben")]
    assert (found.kind, found.seq) == expected


@pytest.mark.req("AUD-07", case="negative")
def test_two_streams_that_changed_names_are_found(trail):
    other = f"site:{trail.place.site.pk}"
    trail.spoil(
        "ben",
        [
            "UPDATE mes_auditentry SET stream = stream || '!' WHERE stream IN (%(stream)s, %(other)s)",
            "UPDATE mes_auditentry SET stream = CASE stream WHEN %(stream)s || '!' THEN %(other)s ELSE %(stream)s END WHERE stream LIKE '%%!'",
            "UPDATE mes_streamhead SET stream = stream || '!' WHERE stream IN (%(stream)s, %(other)s)",
            "UPDATE mes_streamhead SET stream = CASE stream WHEN %(stream)s || '!' THEN %(other)s ELSE %(stream)s END WHERE stream LIKE '%%!'",
        ],
        other=other,
    )
    found = quick(trail).findings.first
    assert {(stream, found[stream].kind, found[stream].seq) for stream in found} == {(trail.stream("ben"), "swap", 1), (other, "swap", 1)}


# --- since the last checkpoint ----------------------------------------------------------------------------------------


@pytest.fixture
def sealed(trail, tmp_path):
    """A trail with a checkpoint, anchored, and entries of the same streams behind it."""
    with override_settings(KEYS_FOLDER=tmp_path / "keys", ANCHORS_FOLDER=tmp_path / "anchors"):
        assert checkpoints.checkpoint_and_anchor(system_actor(trail.place.site.pk)) == 1
    trail.folder = str(tmp_path / "anchors")
    trail.security = f"security:{trail.place.site.pk}"
    for _ in range(4):
        services.record_sign_in(by=trail.place.setup)
    trail.before = len(sealed_lines(trail))
    return trail


def sealed_lines(trail) -> dict[str, int]:
    with trail.database.connect() as connection:
        (lines,) = connection.execute("SELECT snapshot FROM mes_checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    return {stream: int(seq) for stream, seq, _ in (line.split(" ") for line in bytes(lines).decode().splitlines())}


@pytest.mark.req("AUD-07", case="positive")
@pytest.mark.parametrize("with_folder", [False, True])
def test_since_the_checkpoint_only_newer_entries_are_read(sealed, with_folder):
    report = quick(sealed, since_checkpoint=True, folder=sealed.folder if with_folder else "")
    assert report.intact, [str(finding) for finding in report.findings.kept]
    with sealed.database.connect() as connection:
        (all_entries,) = connection.execute("SELECT count(*) FROM mes_auditentry").fetchone()
    assert report.entries == all_entries - sum(sealed_lines(sealed).values())
    assert report.entries >= 4
    assert any("Up to checkpoint 1" in note for note in report.notes)


NEWER = "(SELECT max(seq) - 1 FROM mes_auditentry WHERE stream = %(security)s)"


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("edit", f"UPDATE mes_auditentry SET canon = canon || ' '::bytea WHERE stream = %(security)s AND seq = {NEWER}"),
        ("edit", f"UPDATE mes_auditentry SET hash = sha256('x'::bytea) WHERE stream = %(security)s AND seq = {NEWER}"),
        ("gap", f"DELETE FROM mes_auditentry WHERE stream = %(security)s AND seq = {NEWER}"),
        ("truncation", f"DELETE FROM mes_auditentry WHERE stream = %(security)s AND seq > {NEWER}"),
        ("fork", "UPDATE mes_streamhead SET seq = seq - 2, hash = sha256('x'::bytea) WHERE stream = %(security)s"),
        ("missing", "DELETE FROM mes_streamhead WHERE stream = %(security)s"),
    ],
)
def test_a_break_behind_the_checkpoint_is_found(sealed, kind, statement):
    sealed.spoil("ben", [statement], security=sealed.security)
    report = quick(sealed, since_checkpoint=True)
    assert {stream: found.kind for stream, found in report.findings.first.items()} == {sealed.security: kind}


@pytest.mark.req("AUD-07", case="negative")
def test_a_sealed_end_that_is_gone_is_found_even_with_its_head_put_back(sealed):
    sealed.spoil(
        "ben",
        [
            "DELETE FROM mes_auditentry WHERE stream = %(stream)s AND seq >= 4",
            "UPDATE mes_streamhead SET seq = 3, hash = (SELECT hash FROM mes_auditentry WHERE stream = %(stream)s AND seq = 3) WHERE stream = %(stream)s",
        ],
    )
    assert quick(sealed, since_checkpoint=True).findings.first[sealed.stream("ben")].kind in ("truncation", "fork")


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.parametrize("with_folder", [False, True])
def test_a_checkpoint_whose_lines_were_changed_is_not_gone_on_from(sealed, with_folder):
    sealed.spoil("ben", ["UPDATE mes_checkpoint SET snapshot = snapshot || E'\\nlot:x 1 00'::bytea"])
    report = quick(sealed, since_checkpoint=True, folder=sealed.folder if with_folder else "")
    assert report.findings.by_kind == {"rewrite": 1}
    with sealed.database.connect() as connection:
        assert report.entries == connection.execute("SELECT count(*) FROM mes_auditentry").fetchone()[0]


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.req("AUD-07", case="negative")
def test_the_command_names_the_break_and_what_it_did_not_look_at(spoilt, capsys, monkeypatch):
    monkeypatch.setenv("VERIFY_DATABASE_URL", spoilt.database.urls["VERIFY_DATABASE_URL"])
    with pytest.raises(SystemExit) as ended:
        call_command("verify_chain", "--links")
    out = capsys.readouterr().out
    assert ended.value.code == run.BROKEN
    assert f"{spoilt.stream('entry_deleted')} #4: gap" in out
    assert links.NOT_LOOKED_AT in out


@pytest.mark.parametrize(("words", "sentence"), [(["--since-checkpoint"], "goes with --links"), (["--links", "--stream", "lot:x"], "leave it out")])
def test_options_that_do_not_go_together_are_said(whole, words, sentence, capsys):
    with pytest.raises(CommandError, match=sentence):
        call_command("verify_chain", *words)
    assert run.main(["--url", whole.database.urls["VERIFY_DATABASE_URL"], *words]) == run.NOT_CHECKED
    assert sentence in capsys.readouterr().err


# --- runs, without a database -----------------------------------------------------------------------------------------


def made(stream: str, number: int) -> list[tuple]:
    """A stream's entries as rows."""
    rows, before = [], FIRST
    for seq in range(1, number + 1):
        canon = chain.entry_canon({"canon": 1, "stream": stream, "seq": str(seq), "prev": before.hex(), "reason": "x" * (seq % 5)})
        digest = chain.entry_hash(canon)
        rows.append((stream, seq, before, digest, canon))
        before = digest
    return rows


def walked(rows, head, most=1000):
    walk = Walk(most)
    walk.take(rows)
    found = list(walk.findings.kept)
    for stream, runs in walk.runs().items():
        found += judge(stream, runs, (0, FIRST), head)
    return walk, found


@pytest.mark.req("AUD-07", case="positive")
@pytest.mark.parametrize("seed", range(5))
def test_entries_in_any_order_make_one_run(seed):
    rows = made("lot:a", 60)
    random.Random(seed).shuffle(rows)
    walk, found = walked(rows, (60, max(rows, key=lambda row: row[1])[3]))
    assert found == []
    assert [(run.first, run.next) for run in walk.runs()["lot:a"]] == [(1, 61)]


def _without(rows, at):
    return [row for row in rows if row[1] != at]


def _changed(rows, at, place, value):
    return [(*row[:place], value, *row[place + 1 :]) if row[1] == at else row for row in rows]


SPOILS = {
    "deleted": lambda rows, at: _without(rows, at),
    "cut off": lambda rows, at: [row for row in rows if row[1] < at],
    "byte changed": lambda rows, at: _changed(rows, at, 4, rows[at - 1][4][:-2] + b" }"),
    "hash changed": lambda rows, at: _changed(rows, at, 3, hashlib.sha256(b"x").digest()),
    "link changed": lambda rows, at: _changed(rows, at, 2, hashlib.sha256(b"x").digest()),
    "hash and link cut elsewhere": lambda rows, at: [(*row[:2], row[2] + row[3][:1], row[3][1:], row[4]) if row[1] == at else row for row in rows],
    "bytes and hash of another": lambda rows, at: _changed(_changed(rows, at, 4, rows[0][4]), at, 3, rows[0][3]),
    "doubled": lambda rows, at: [*rows, rows[at - 1]],
    "swapped": lambda rows, at: [(r[0], at + 1 if r[1] == at else at if r[1] == at + 1 else r[1], *r[2:]) for r in rows],
    "empty": lambda rows, at: _changed(_changed(_changed(rows, at, 4, b""), at, 3, b""), at, 2, b""),
}


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.parametrize(("name", "seed"), list(itertools.product(SPOILS, range(4))))
def test_every_spoil_is_found_in_every_order(name, seed):
    rows, chance = made("lot:a", 30), random.Random(seed)
    head = (30, rows[-1][3])
    spoilt_rows = SPOILS[name](rows, chance.randrange(2, 29))
    for _ in range(3):
        _, found = walked(spoilt_rows, head)
        assert found, name
        chance.shuffle(spoilt_rows)


def test_more_runs_than_may_be_held_are_refused():
    with pytest.raises(TooMany):
        walked([row for row in made("lot:a", 60) if row[1] % 2], None, most=20)


def test_memory_does_not_follow_the_number_of_entries():
    rows = made("lot:a", 3000)
    tracemalloc.start()
    Walk(1000).take(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(rows) * 8, "less than a hash of each entry"
