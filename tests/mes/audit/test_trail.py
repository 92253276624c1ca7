"""The chain's own guard: what does not follow is refused, whoever sends it."""

import datetime as dt
import json

import psycopg
import pytest

from mes.audit import chain
from mes.audit.models import AuditEntry
from mes.keys import uuid7
from mes.people import services
from mes.permissions import Permission
from mes.records.context import site_context
from tests.builders.people import open_place

INSERT = """
INSERT INTO mes_auditentry (id, stream, seq, site_id, deed_id, at, wall, by_username, by_name, role, channel, station, events,
                            reason, canon, prev_hash, hash)
VALUES (%(id)s, %(stream)s, %(seq)s, %(site)s, %(id)s, %(at)s, %(wall)s, 'x', 'x', '', 'x', '', '[]', '', %(canon)s, %(prev)s, %(hash)s)
"""


@pytest.fixture
def place(committed_db):
    place = open_place()
    place.db = committed_db
    place.person("ben", [Permission.READ_AUDIT])
    return place


@pytest.fixture
def raw(place):
    """The application's role with an open deed, and the head of the site's stream."""
    with place.db.connect("DATABASE_URL") as raw:
        raw.execute("SELECT guard.open_deed(%s, %s, %s)", [uuid7(), place.setup.user_id, place.site.pk])
        yield raw
        raw.rollback()


@pytest.fixture
def good(raw, place):
    """An entry that follows; a test changes one thing of it."""
    stream = f"site:{place.site.pk}"
    seq, prev = raw.execute("SELECT seq, hash FROM mes_streamhead WHERE stream = %s", [stream]).fetchone()
    at, wall = raw.execute("SELECT guard.record_now(), clock_timestamp()").fetchone()
    canon = chain.entry_canon({"canon": 1, "stream": stream, "seq": str(seq + 1)})
    return {
        "id": uuid7(), "stream": stream, "seq": seq + 1, "site": place.site.pk, "at": at, "wall": wall, "canon": canon,
        "prev": prev, "hash": chain.entry_hash(canon),
    }  # fmt: skip


def refused(raw, entry, words):
    with pytest.raises(psycopg.Error, match=words) as error:
        raw.execute(INSERT, entry)
    assert error.value.sqlstate == "CT005"


@pytest.mark.req("AUD-07", case="positive")
def test_an_entry_that_follows_is_taken(raw, good):
    raw.execute(INSERT, good)


@pytest.mark.req("AUD-07", case="negative")
def test_a_hash_that_is_not_that_of_the_bytes_is_refused(raw, good):
    refused(raw, good | {"hash": bytes(32)}, "its hash is not that of its bytes")


@pytest.mark.req("AUD-07", case="negative")
def test_a_gap_is_refused(raw, good):
    refused(raw, good | {"seq": good["seq"] + 1}, "does not follow its predecessor")


@pytest.mark.req("AUD-07", case="negative")
def test_another_predecessor_is_refused(raw, good):
    refused(raw, good | {"prev": bytes(32)}, "does not follow its predecessor")


@pytest.mark.req("AUD-07", case="negative")
def test_a_stream_that_begins_in_the_middle_is_refused(raw, good):
    refused(raw, good | {"stream": "new:1", "seq": 1}, "begins from nothing")
    raw.rollback()


@pytest.mark.req("AUD-07", case="negative")
def test_a_second_entry_in_the_same_place_is_refused(raw, good):
    raw.execute(INSERT, good)
    with pytest.raises(psycopg.errors.UniqueViolation):
        raw.execute(INSERT, good | {"id": uuid7()})


@pytest.mark.req("AUD-13", case="negative")
@pytest.mark.parametrize(
    ("name", "shift", "words"),
    [
        ("at", dt.timedelta(hours=-1), "backwards|not now"),
        ("at", dt.timedelta(minutes=1), "not now"),
        ("wall", dt.timedelta(minutes=-2), "not now"),
        ("wall", dt.timedelta(minutes=2), "not now"),
    ],
)
def test_a_time_that_is_not_now_is_refused(raw, good, name, shift, words):
    refused(raw, good | {name: good[name] + shift}, words)


@pytest.mark.req("AUD-13", case="negative")
def test_time_does_not_run_backwards_within_a_stream(raw, place, good):
    (last,) = raw.execute("SELECT at FROM mes_auditentry WHERE stream = %s ORDER BY seq DESC LIMIT 1", [good["stream"]]).fetchone()
    refused(raw, good | {"at": last - dt.timedelta(microseconds=1)}, "time runs backwards")


@pytest.mark.req("AUD-06", case="negative")
def test_no_entry_and_no_audit_row_without_a_deed(place, good):
    with place.db.connect("DATABASE_URL") as without:
        without.execute("SELECT set_config('cartulary.site', %s, false)", [str(place.site.pk)])
        without.commit()
        with pytest.raises(psycopg.Error, match="without a deed"):
            without.execute(INSERT, good)
        without.rollback()
        with pytest.raises(psycopg.Error, match="without a deed"):
            without.execute(
                'INSERT INTO mes_auditrow (entry_id, site_id, "table", row_id, version, schema, digest)'
                " SELECT id, site_id, 'x', id, 1, '', '' FROM mes_auditentry LIMIT 1"
            )


@pytest.mark.req("AUD-02", case="positive")
def test_an_entry_says_who_in_which_role_where_when_why_and_what(place):
    services.grant_role(by=place.setup, user=place.people["ben"], role=place.role([Permission.RECORD_TRAINING], "Trainer"))
    mia = place.person("mia")
    ben = place.person("kim", [Permission.MANAGE_PEOPLE], role="Supervisor", full_name="Kim Lee").at_station("tablet-3")
    (grant,) = place.people["ben"].grants.filter(role__name="Trainer")
    services.end_grant(by=ben, grant_id=grant.pk, seen=1, reason="left the team")
    with site_context(place.site.pk):
        entry = AuditEntry.objects.filter(events=["mes.grant_ended"]).get()
        (row,) = entry.rows.all()
    said = json.loads(bytes(entry.canon))
    assert said["by"] == {"id": str(ben.user_id), "username": "kim", "name": "Kim Lee", "role": "Supervisor"}
    assert (said["channel"], said["station"], said["reason"]) == ("page", "tablet-3", "left the team")
    assert said["events"] == ["mes.grant_ended"]
    assert said["rows"] == [["mes_grant", str(grant.pk), "2", row.schema, bytes(row.digest).hex()]]
    assert said["stream"] == f"person:{place.people['ben'].pk}"
    assert mia.user_id != ben.user_id


ELEMENTS = ("by_username", "by_name", "at", "wall", "site_id", "deed_id", "channel", "reason", "stream", "seq", "hash")


@pytest.mark.req("AUD-02", case="negative")
@pytest.mark.parametrize("element", ELEMENTS)
def test_an_entry_without_one_of_its_elements_is_refused(raw, good, element):
    """Who, when on both clocks, where, in which deed, by which channel, why: the database takes no entry that leaves one out."""
    columns, values = (part.strip("( )\n").replace("\n", " ") for part in INSERT.partition("mes_auditentry")[2].split("VALUES"))
    named = [column.strip() for column in columns.split(",")]
    given = [value.strip() for value in values.split(",")]
    assert len(named) == len(given) and element in named
    given[named.index(element)] = "NULL"
    with pytest.raises(psycopg.Error) as error:
        raw.execute(f"INSERT INTO mes_auditentry ({', '.join(named)}) VALUES ({', '.join(given)})", good)
    assert error.value.sqlstate in ("23502", "CT005", "42501")
