"""What somebody with all rights changes behind a lot is found by the gate's own check, whatever column, table or row it is in."""

import datetime as dt
import json
from contextlib import contextmanager

import pytest
from django.test import override_settings

from batches.execution.models import Entry, StepRun
from batches.lots.models import Hold
from mes.audit import chain
from mes.audit.models import AuditEntry
from mes.errors import RuleBroken
from mes.keys import uuid7
from mes.records import collector, intact
from mes.records.context import site_context
from quality.alerts.heartbeats import TRAIL_CHECK_AFTER
from quality.release import integrity
from quality.samples.models import Result
from tests.quality.release.test_damage import past_the_application


@pytest.fixture(scope="module")
def site(databases, django_db_setup, django_db_blocker, tmp_path_factory):
    """A site, committed, whose `lot` waits for the Qualified Person."""
    from tests.builders.judged import Judged
    from tests.conftest import close_connections, pointing

    database, folder = databases.copy(), tmp_path_factory.mktemp("keys")
    with django_db_blocker.unblock(), pointing(database), override_settings(KEYS_FOLDER=folder, ANCHORS_FOLDER=folder / "anchors"):
        site = Judged("GATE")
        site.lot, site.database = site.ready(), database
        yield site
        close_connections()
    databases.drop(database.name)


def found(site) -> list[str]:
    with site.reading():
        return intact.stream_findings(f"lot:{site.lot.pk}")


def one(site, model):
    with site.reading():
        return model.objects.filter(lot=site.lot).order_by("recorded_at").first()


def changed(site, table, column, value, row):
    """Another value in one column of one row, put back afterwards."""
    with site.database.connect() as admin:
        before = admin.execute(f"SELECT {column} FROM {table} WHERE id = %s", [row]).fetchone()[0]
    change = f"UPDATE {table} SET {column} = %s WHERE id = %s"
    return past_the_application(site, (change, [value, row]), undo=[(change, [before, row])])


@contextmanager
def removed(site, table, row):
    with site.database.connect() as admin:
        (kept,) = admin.execute(f"SELECT to_jsonb(t)::text FROM {table} t WHERE id = %s", [row]).fetchone()
    back = (f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s::jsonb)", [kept])
    with past_the_application(site, (f"DELETE FROM {table} WHERE id = %s", [row]), undo=[back]):
        yield


def copied(site, table, row, key="id", **changes):
    """A second row like this one, with other values in these columns and a new key."""
    new, said = uuid7(), ", ".join(f"'{name}', {value}" for name, value in changes.items())
    built = f"jsonb_build_object('{key}', %s::text{', ' + said if said else ''})"
    statement = f"INSERT INTO {table} SELECT (jsonb_populate_record(t, {built})).* FROM {table} t WHERE {key} = %s"
    return past_the_application(site, (statement, [str(new), row]), undo=[(f"DELETE FROM {table} WHERE {key} = %s", [new])])


def held(site) -> Hold:
    """The hold of the lot, placed by whichever test needs it first: tests of this module run in any order and in several processes."""
    from batches.lots.queries import course_subject
    from batches.lots.services import place_hold

    kept = one(site, Hold)
    if kept is not None:
        return kept
    proof = site.proved("boss", "boss", lambda: course_subject(site.fresh_in(site.lot), "place on hold", reason="Label in doubt"), "placed_on_hold")
    return place_hold(by=site.by("boss"), lot_id=site.lot.pk, reason="Label in doubt", proof=proof)


def is_shut(site) -> bool:
    return not site.gate(site.lot)["chain"].ok


@pytest.mark.req("AUD-07", case="positive")
def test_what_nobody_changed_is_whole_and_few_statements_say_so(site, django_assert_max_num_queries):
    with site.reading(), django_assert_max_num_queries(75):
        assert intact.stream_findings(f"lot:{site.lot.pk}") == []
    assert not is_shut(site)


@pytest.mark.req("AUD-07", case="negative")
def test_a_changed_value_is_found_though_its_audit_row_names_another_column_list(site):
    value = one(site, Entry)
    with site.database.connect() as admin:
        row, schema = admin.execute("SELECT id, schema FROM mes_auditrow WHERE row_id = %s", [value.pk]).fetchone()
    with changed(site, "batches_entry", "value_text", "99.9", value.pk), changed(site, "mes_auditrow", "schema", "x", row):
        told = found(site)
        assert any("cites other rows than its bytes say" in each for each in told)
        assert any(f"{value.pk} is not what entry" in each for each in told)
        assert is_shut(site)
    with changed(site, "mes_auditrow", "schema", "x", row):
        assert schema != "x" and is_shut(site), "the audit row alone is a break too"
    assert found(site) == []


@pytest.mark.req("AUD-07", case="negative")
def test_a_row_sealed_under_an_older_column_list_is_digested_by_that_list_and_an_unknown_list_is_a_finding(site):
    value, table = one(site, Entry), "batches_entry"
    columns = {column: attribute for column, attribute in collector.digest_columns(Entry) if column != "trace"}
    schema = chain.schema_id(table, columns)
    digest = chain.row_digest({column: getattr(value, attribute) for column, attribute in columns.items()}).hex()
    cited = [intact.Cited(7, table, str(value.pk), "1", schema, digest, None, "", "", "")]

    def told() -> list[str]:
        with site.reading():
            return list(intact._cited_rows(cited))

    assert ["which is not kept" in each for each in told()] == [True], "a list that nobody kept vouches for nothing"
    keep = "INSERT INTO mes_rowschema (id, \"table\", columns) VALUES (%s, %s, to_jsonb(%s::text[]))"
    gone = ("DELETE FROM mes_rowschema WHERE id = %s", [schema])
    with past_the_application(site, (keep, [schema, table, list(columns)]), undo=[gone]):
        assert told() == []
        with changed(site, table, "value_text", "99.9", value.pk):
            assert [f"{value.pk} is not what entry 7 sealed" in each for each in told()] == [True]
    with past_the_application(site, (keep, [schema, table, ["id"]]), undo=[gone]):
        assert ["which is not kept" in each for each in told()] == [True], "a list that does not lead to its id is no list"


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.req("AUD-03", case="negative")
def test_every_column_of_an_entry_that_its_bytes_hold_is_compared(site):
    with site.reading():
        entry = AuditEntry.objects.get(stream=f"lot:{site.lot.pk}", seq=5)
    other = {
        "by_id": uuid7(), "by_name": "Somebody Else", "by_username": "else", "role": "Another role", "station": "ELSEWHERE", "channel": "api2",
        "deed_id": uuid7(), "wall": entry.wall - dt.timedelta(seconds=1), "at": entry.at - dt.timedelta(seconds=1), "lot_id": uuid7(),
        "reason": "Another reason", "events": '["mes.signed_in"]',
    }  # fmt: skip
    missed = []
    for column, value in other.items():
        cast = "::jsonb" if column == "events" else ""
        back = getattr(entry, column) if column != "events" else json.dumps(entry.events)
        change = f"UPDATE mes_auditentry SET {column} = %s{cast} WHERE id = %s"
        with past_the_application(site, (change, [value, entry.pk]), undo=[(change, [back, entry.pk])]):
            if not any(each.startswith(f"entry 5 says something else in its columns than in its bytes: {column} ") for each in found(site)):
                missed.append(column)
    assert missed == [] and found(site) == []


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.req("REL-01", case="negative")
def test_a_record_that_was_removed_is_missed(site):
    lot = site.lot
    hold = held(site)
    assert not site.gate(lot)["holds"].ok
    with removed(site, "batches_hold", hold.pk):
        lines = site.gate(lot)
        assert lines["holds"].ok, "the hold itself is not seen any more"
        assert [str(hold.pk) in each and "its versions are kept" in each for each in found(site)] == [True] and not lines["chain"].ok
    assert found(site) == []
    step = one(site, StepRun)
    with changed(site, "batches_steprun", "version", step.version - 1, step.pk):
        assert any(f"{step.pk} stands otherwise than its last version" in each for each in found(site))


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("history_user_id", lambda site: site.users["anna"].pk), ("history_change_reason", lambda site: "QA asked for it"),
        ("history_date", lambda site: dt.datetime(2020, 1, 1, tzinfo=dt.UTC)), ("history_type", lambda site: "-"),
    ],
)  # fmt: skip
def test_a_version_in_the_name_of_another_is_found(site, column, value):
    step = one(site, StepRun)
    change = f"UPDATE batches_steprunhistory SET {column} = %s WHERE id = %s AND version = 2"
    with site.database.connect() as admin:
        (before,) = admin.execute(f"SELECT {column} FROM batches_steprunhistory WHERE id = %s AND version = 2", [step.pk]).fetchone()
    assert before != value(site)
    with past_the_application(site, (change, [value(site), step.pk]), undo=[(change, [before, step.pk])]):
        assert any(f"{step.pk} version 2 names another person, reason or time than entry" in each for each in found(site))
        assert is_shut(site)
    assert found(site) == []


@pytest.mark.req("AUD-07", case="negative")
@pytest.mark.req("DI-04", case="negative")
def test_a_row_that_no_entry_cites_is_found(site):
    result, value, step, hold = one(site, Result), one(site, Entry), one(site, StepRun), held(site)
    with site.database.connect() as admin:
        (version,) = admin.execute("SELECT history_id FROM batches_steprunhistory WHERE id = %s ORDER BY version LIMIT 1", [step.pk]).fetchone()
        (signature,) = admin.execute("SELECT id FROM mes_signature WHERE lot_id = %s LIMIT 1", [site.lot.pk]).fetchone()
    for table, act in {
        "quality_result": copied(site, "quality_result", result.pk, criterion="'planted'"),
        "batches_entry": copied(site, "batches_entry", value.pk, parameter="'planted'"),
        "batches_hold": copied(site, "batches_hold", hold.pk, state="'ended'", ended_by_id="t.placed_by_id"),
        "batches_steprunhistory": copied(site, "batches_steprunhistory", version, key="history_id", version="900"),
        "mes_signature": copied(site, "mes_signature", signature, intent_id="gen_random_uuid()"),
    }.items():
        with act:
            told = found(site)
            assert len(told) == 1 and f" in {table} has no entry" in told[0], (table, told)
            assert is_shut(site)
    assert found(site) == []


@pytest.mark.req("AUD-07", case="negative")
def test_a_further_change_in_a_place_that_was_found_is_another_finding(site):
    value = one(site, Entry)
    told = []
    for text in ("99.8", "99.9", "99.8"):
        with changed(site, "batches_entry", "value_text", text, value.pk):
            told.append(found(site))
    assert told[0] == told[2] != told[1] and len(told[0]) == 1


@pytest.mark.req("AUD-07", case="negative")
def test_where_the_scheduled_check_is_overdue_the_gate_says_so(site, monkeypatch):
    from mes.checkpoints import services
    from mes.people.setup import system_actor

    def told() -> list[str]:
        with site_context(site.place.site.pk):
            return [each for each in integrity.trail_findings(site.lot) if "scheduled check" in each]

    assert told() == [], "a young lot has not missed a check"
    monkeypatch.setattr(integrity, "TRAIL_CHECK_AFTER", TRAIL_CHECK_AFTER * 0)
    assert told() == ["the scheduled check of the audit trail was not made yet"] and is_shut(site)
    services.record_trail_check(by=system_actor(site.place.site.pk), size=0, streams=1, entries=1, broken={})
    (late,) = told()
    assert "was not made since" in late and late == told()[0], "it stays the same until a check is made"
    monkeypatch.undo()
    assert told() == []


@pytest.mark.req("AUD-07", case="negative")
def test_what_the_checks_did_not_show_nobody_can_assess(site, monkeypatch):
    monkeypatch.setattr(integrity, "stream_findings", lambda stream: [])
    monkeypatch.setattr(integrity, "broken_streams", lambda: {"site:1": f"edit (now {intact.UNTOLD})"})
    with site.reading(), pytest.raises(RuleBroken) as refused:
        integrity.assessable(site.lot)
    assert refused.value.code == "too_much_broken"
