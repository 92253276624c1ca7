"""What the database refuses by itself, whoever holds the application's role and whatever they send."""

import json

import psycopg
import pytest
from django.db import connection, connections

from mes.keys import uuid7
from mes.people import services
from mes.people.models import User
from mes.permissions import Permission
from mes.records import guards
from tests.builders.people import open_place


@pytest.fixture
def place(committed_db):
    place = open_place()
    place.db = committed_db
    place.ben = place.person("ben", [Permission.READ_AUDIT])
    return place


@pytest.fixture
def raw(place):
    """The application's role, without the application."""
    with place.db.connect("DATABASE_URL") as raw:
        yield raw
        raw.rollback()


def open_deed(raw, place):
    return raw.execute("SELECT guard.open_deed(%s, %s, %s)", [uuid7(), place.ben.user_id, place.site.pk]).fetchone()[0]


FACT = "INSERT INTO mes_accessevent (id, site_id, by_id, kind, station) VALUES (%s, %s, %s, 'in', '')"


def insert_fact(raw, place, fact_id=None, statement=FACT, more=()):
    raw.execute(statement, [fact_id or uuid7(), place.site.pk, place.ben.user_id, *more])


def refused(state: str):
    """An error of the guards with this code, raised by what stands inside."""
    return pytest.raises(psycopg.Error, check=lambda error: error.sqlstate == state)


# --- no deed, no write ------------------------------------------------------------------------------------------------


@pytest.mark.req("AUD-06", case="negative")
def test_no_fact_and_no_change_without_a_deed(raw, place):
    with refused("CT002"):
        raw.execute("SELECT set_config('cartulary.site', %s, false)", [str(place.site.pk)])
        insert_fact(raw, place)
    raw.rollback()
    with refused("CT002"):
        raw.execute("UPDATE mes_user SET full_name = 'x', version = version + 1 WHERE id = %s", [place.ben.user_id])
    raw.rollback()
    with refused("CT002"):
        raw.execute("INSERT INTO mes_rolehistory SELECT * FROM mes_rolehistory LIMIT 1")


@pytest.mark.req("AUD-06", case="negative")
def test_the_token_of_a_deed_opens_nothing_in_the_next_transaction(raw, place):
    open_deed(raw, place)
    token = raw.execute("SELECT current_setting('cartulary.deed')").fetchone()[0]
    assert raw.execute("SELECT guard.deed_is_open()").fetchone() == (True,)
    raw.commit()
    assert raw.execute("SELECT guard.deed_is_open()").fetchone() == (False,)
    # even kept by hand, for the session, with the site beside it
    raw.execute("SELECT set_config('cartulary.deed', %s, false)", [token])
    raw.execute("SELECT set_config('cartulary.site', %s, false)", [str(place.site.pk)])
    assert raw.execute("SELECT guard.deed_is_open()").fetchone() == (False,)
    with refused("CT002"):
        insert_fact(raw, place)


def test_after_a_service_no_deed_and_no_site_is_left_on_the_connection(place):
    services.record_sign_in(by=place.setup)
    with connection.cursor() as cursor:
        cursor.execute("SELECT guard.deed_is_open(), nullif(current_setting('cartulary.site', true), ''), nullif(current_setting('cartulary.deed', true), '')")
        assert cursor.fetchone() == (False, None, None)


# --- a deed, but not sealed -------------------------------------------------------------------------------------------


@pytest.mark.req("AUD-01", case="negative")
def test_a_fact_without_its_audit_row_is_refused_at_the_commit(raw, place):
    open_deed(raw, place)
    insert_fact(raw, place)
    with refused("CT003"):
        raw.commit()
    assert raw.execute("SELECT count(*) FROM mes_accessevent").fetchone() == (0,)


def change_record(raw, place, name="Changed"):
    raw.execute("UPDATE mes_user SET full_name = %s, version = version + 1 WHERE id = %s", [name, place.ben.user_id])


def cite(raw, place, table, row_id, version):
    """An audit entry and row as somebody who knows the format would forge them."""
    from mes.audit import chain

    stream = f"forged:{uuid7()}"
    now, wall = raw.execute("SELECT guard.record_now(), clock_timestamp()").fetchone()
    canon = chain.entry_canon({"canon": 1, "stream": stream})
    entry = uuid7()
    raw.execute(
        "INSERT INTO mes_auditentry (id, stream, seq, site_id, deed_id, at, wall, by_username, by_name, role, channel,"
        " station, events, reason, canon, prev_hash, hash) VALUES (%s, %s, 1, %s, %s, %s, %s, 'x', 'x', '', 'x', '', '[]',"
        " '', %s, %s, %s)",
        [entry, stream, place.site.pk, uuid7(), now, wall, canon, chain.GENESIS, chain.entry_hash(canon)],
    )
    hang(raw, place, entry, table, row_id, version)
    return entry


def hang(raw, place, entry, table, row_id, version):
    """An audit row that hangs onto this entry."""
    raw.execute(
        "INSERT INTO mes_auditrow (entry_id, site_id, \"table\", row_id, version, schema, digest) VALUES (%s, %s, %s, %s, %s, '', '')",
        [entry, place.site.pk, table, row_id, version],
    )


@pytest.mark.req("AUD-01", case="negative")
def test_a_changed_record_without_its_audit_row_is_refused_at_the_commit(raw, place):
    open_deed(raw, place)
    change_record(raw, place)
    with refused("CT003"):
        raw.commit()


def copy_version(raw, place, name):
    """A version row for the changed record, with the name given."""
    columns = [column for (column,) in raw.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'mes_userhistory'").fetchall()]
    new = {"history_id": "gen_random_uuid()", "version": "2", "full_name": "%(name)s"}
    raw.execute(
        f"INSERT INTO mes_userhistory ({', '.join(columns)}) SELECT {', '.join(new.get(c, c) for c in columns)}"
        " FROM mes_userhistory WHERE id = %(user)s AND version = 1",
        {"name": name, "user": place.ben.user_id},
    )


@pytest.mark.req("AUD-01", case="negative")
def test_a_changed_record_without_its_version_is_refused_at_the_commit(raw, place):
    open_deed(raw, place)
    change_record(raw, place)
    cite(raw, place, "mes_user", place.ben.user_id, 2)
    with pytest.raises(psycopg.Error, match="has 0 history rows"):
        raw.commit()


@pytest.mark.req("AUD-01", case="negative")
def test_a_version_that_says_something_else_than_the_record_is_refused_at_the_commit(raw, place):
    open_deed(raw, place)
    change_record(raw, place, "Changed")
    copy_version(raw, place, "Another")
    cite(raw, place, "mes_user", place.ben.user_id, 2)
    with pytest.raises(psycopg.Error, match="differs from the record"):
        raw.commit()


@pytest.mark.req("AUD-06", case="negative")
def test_a_version_that_names_another_person_and_time_than_its_entry_is_refused_at_the_commit(raw, place):
    open_deed(raw, place)
    change_record(raw, place, "Changed")
    copy_version(raw, place, "Changed")  # with who and when of the first version
    cite(raw, place, "mes_user", place.ben.user_id, 2)
    with pytest.raises(psycopg.Error, match="does not say what its entry says"):
        raw.commit()


@pytest.mark.req("AUD-01", case="negative")
def test_a_version_without_its_audit_row_is_refused_at_the_commit(raw, place):
    open_deed(raw, place)
    copy_version(raw, place, "Another")
    with refused("CT003"):
        raw.commit()


@pytest.mark.req("AUD-01", case="negative")
def test_an_audit_row_of_an_earlier_transaction_seals_nothing(raw, place):
    open_deed(raw, place)
    fact = uuid7()
    cite(raw, place, "mes_accessevent", fact, 1)
    raw.commit()
    open_deed(raw, place)
    insert_fact(raw, place, fact)
    with refused("CT003"):
        raw.commit()


@pytest.mark.req("AUD-06", case="negative")
def test_an_audit_row_hangs_onto_no_entry_of_an_earlier_deed(raw, place):
    open_deed(raw, place)
    entry = cite(raw, place, "mes_accessevent", uuid7(), 1)
    raw.commit()
    open_deed(raw, place)
    fact = uuid7()
    insert_fact(raw, place, fact)
    with refused("CT005"):
        hang(raw, place, entry, "mes_accessevent", fact, 1)
        raw.commit()


# --- what the database decides itself ---------------------------------------------------------------------------------


@pytest.mark.req("AUD-13", case="negative")
def test_time_and_transaction_as_sent_are_overridden(raw, place):
    opened = open_deed(raw, place)
    fact = uuid7()
    insert_fact(
        raw,
        place,
        fact,
        "INSERT INTO mes_accessevent (id, site_id, by_id, kind, station, recorded_at, tx) VALUES (%s, %s, %s, 'in', '', %s, %s)",
        ["2020-01-01T00:00:00Z", "3"],
    )
    recorded, own = raw.execute("SELECT recorded_at, tx = pg_current_xact_id() FROM mes_accessevent WHERE id = %s", [fact]).fetchone()
    assert own
    assert recorded >= opened


@pytest.mark.req("AUD-13", case="negative")
def test_an_offset_shifts_no_time_where_a_site_is_real(place):
    with place.db.connect() as admin:
        admin.execute("INSERT INTO mes_simulatedclock (id, \"offset\") VALUES (1, interval '-30 days')")
        assert admin.execute("SELECT guard.record_now() < clock_timestamp() - interval '29 days'").fetchone() == (True,)
        admin.execute("ALTER TABLE mes_site DISABLE TRIGGER USER")
        admin.execute("UPDATE mes_site SET demo = false")
        assert admin.execute("SELECT abs(extract(epoch FROM guard.record_now() - clock_timestamp())) < 1").fetchone() == (True,)
        admin.rollback()


@pytest.mark.req("AUD-13", case="positive")
def test_record_time_is_the_clock_not_the_beginning_of_the_transaction(raw):
    first, began, second = raw.execute("SELECT guard.record_now(), now(), guard.record_now() FROM pg_sleep(0.01)").fetchone()
    assert began < first <= second


@pytest.mark.parametrize(
    "change",
    ["full_name = 'x'", "full_name = 'x', version = version + 2", "version = version + 1, id = gen_random_uuid()",
     "version = version + 1, site_id = id", "version = version + 1, recorded_at = now()"],
)  # fmt: skip
def test_a_version_rises_by_one_and_key_site_and_first_time_stay(raw, place, change):
    open_deed(raw, place)
    with refused("CT004"):
        raw.execute(f"UPDATE mes_user SET {change} WHERE id = %s", [place.ben.user_id])


def test_a_new_record_begins_with_version_one(raw, place):
    open_deed(raw, place)
    with refused("CT004"):
        raw.execute(
            "INSERT INTO mes_user (id, site_id, version, username, full_name, kind, email, password, pin, badge, is_active)"
            " VALUES (gen_random_uuid(), %s, 2, 'x', 'X', 'person', '', '', '', '', true)",
            [place.site.pk],
        )


# --- sites ------------------------------------------------------------------------------------------------------------

SEEN = "SELECT count(*) FROM mes_auditentry"


@pytest.mark.req("ACC-02", case="negative")
def test_without_a_site_nothing_is_seen(raw, place):
    assert raw.execute(SEEN).fetchone() == (0,)
    assert raw.execute("SELECT count(*) FROM mes_auditrow").fetchone() == (0,)


@pytest.mark.req("ACC-02", case="negative")
@pytest.mark.req("NET-01", case="negative")
def test_rows_of_another_site_are_not_seen_and_not_written(raw, place):
    other = open_place()
    raw.execute("SELECT set_config('cartulary.site', %s, false)", [str(other.site.pk)])
    sites = raw.execute("SELECT DISTINCT site_id FROM mes_auditentry").fetchall()
    assert sites == [(other.site.pk,)]
    raw.execute("SELECT guard.open_deed(%s, %s, %s)", [uuid7(), other.setup.user_id, other.site.pk])
    with pytest.raises(psycopg.Error, match="row-level security"):
        insert_fact(raw, place)  # of the first site, in a deed of the other


@pytest.mark.req("DI-05", case="negative")
def test_the_reader_and_the_verifier_change_nothing(place):
    for role in ("READ_DATABASE_URL", "VERIFY_DATABASE_URL"):
        with place.db.connect(role) as reading:
            with pytest.raises(psycopg.Error, check=lambda e: e.sqlstate in ("42501", "25006")):
                insert_fact(reading, place)
            reading.rollback()
            reading.execute("SET default_transaction_read_only = off")
            reading.commit()
            with pytest.raises(psycopg.Error, check=lambda e: e.sqlstate == "42501"):
                insert_fact(reading, place)


# --- the guards themselves --------------------------------------------------------------------------------------------


@pytest.mark.req("AUD-05", case="positive")
def test_every_guard_stands_after_a_migration(place):
    assert guards.missing(connections["default"]) == []


@pytest.mark.req("AUD-05", case="negative")
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("DROP TRIGGER guard_change ON mes_accessevent", "trigger guard_change on mes_accessevent is missing"),
        ("ALTER TABLE mes_user DISABLE TRIGGER guard_sealed", "trigger guard_sealed on mes_user does not fire always"),
        ("ALTER TABLE mes_user ENABLE TRIGGER guard_sealed", "trigger guard_sealed on mes_user does not fire always"),
        ("ALTER TABLE mes_auditentry NO FORCE ROW LEVEL SECURITY", "row security on mes_auditentry is not forced"),
        ("ALTER TABLE mes_auditentry DISABLE ROW LEVEL SECURITY", "row security on mes_auditentry is not forced"),
        ("CREATE OR REPLACE FUNCTION guard.deed_is_open() RETURNS boolean LANGUAGE sql AS 'SELECT true'", "function guard.deed_is_open is altered"),
        ("DROP FUNCTION guard.append(jsonb, jsonb)", "function guard.append is missing"),
        ("CREATE FUNCTION guard.deed_is_open(text) RETURNS boolean LANGUAGE sql AS 'SELECT true'", "function guard.deed_is_open is not ours"),
        ("ALTER POLICY site ON mes_auditentry USING (true)", "policy site on mes_auditentry is altered"),
        ("ALTER POLICY site ON mes_auditentry WITH CHECK (true)", "policy site on mes_auditentry is altered"),
        ("ALTER POLICY guard_all ON mes_auditentry TO cartulary_app", "policy guard_all on mes_auditentry is altered"),
        ("DROP POLICY site ON mes_auditentry", "policy site on mes_auditentry is missing"),
        ("CREATE POLICY more ON mes_auditentry USING (true)", "policy more on mes_auditentry is not ours"),
        (
            "CREATE OR REPLACE TRIGGER guard_change BEFORE UPDATE OR DELETE ON mes_auditentry FOR EACH ROW EXECUTE FUNCTION guard.before_history(); "
            "ALTER TABLE mes_auditentry ENABLE ALWAYS TRIGGER guard_change",
            "trigger guard_change on mes_auditentry calls another function",
        ),
    ],
)
def test_a_guard_that_is_gone_or_weakened_is_named(place, harm, words):
    with place.db.connect() as admin:
        admin.execute(harm)
    assert guards.missing(connections["default"]) == [words]


@pytest.mark.req("AUD-05", case="negative")
def test_the_guards_fire_for_a_superuser_who_plays_replica(place):
    with place.db.connect() as admin:
        admin.execute("SET session_replication_role = replica")
        with refused("CT001"):
            admin.execute("DELETE FROM mes_auditentry")


@pytest.mark.req("AUD-04", case="negative")
@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE mes_accessevent SET station = 'elsewhere'",
        "DELETE FROM mes_accessevent",
        "UPDATE mes_auditentry SET reason = 'another'",
        "UPDATE mes_userhistory SET full_name = 'Somebody Else'",
        "DELETE FROM mes_user",
        "TRUNCATE mes_accessevent",
        "TRUNCATE mes_user CASCADE",
        "TRUNCATE mes_auditrow",
    ],
)
def test_nobody_changes_removes_or_empties_what_is_kept_not_even_a_superuser(place, harm):
    services.record_sign_in(by=place.ben)
    with place.db.connect() as admin:
        open_deed(admin, place)
        with refused("CT001"):
            admin.execute(harm)


@pytest.mark.req("ACC-02", case="negative")
def test_the_owner_of_the_tables_writes_no_row_even_in_a_deed(place):
    with place.db.connect("MIGRATE_DATABASE_URL") as owner:
        owner.execute("SET ROLE cartulary_owner")
        open_deed(owner, place)
        with pytest.raises(psycopg.Error, match="row-level security"):
            insert_fact(owner, place)


@pytest.mark.req("AUD-05", case="negative")
def test_the_application_cannot_take_a_guard_away(raw, place):
    for harm in (
        "ALTER TABLE mes_user DISABLE TRIGGER ALL",
        "DROP TRIGGER guard_write ON mes_user",
        "ALTER TABLE mes_auditentry DISABLE ROW LEVEL SECURITY",
        "CREATE OR REPLACE FUNCTION guard.deed_is_open() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "SET session_replication_role = replica",
        "SET ROLE cartulary_owner",
        "SET ROLE cartulary_guard",
        "CREATE TABLE public.mine (a int)",
        "ALTER ROLE cartulary_app BYPASSRLS",
    ):
        with refused("42501"):
            raw.execute(harm)
        raw.rollback()


def test_what_is_sealed_is_what_the_database_stored(place):
    """The digest is made of values returned by the database: an update of the text on the way would be noticed."""
    role = services.define_role(by=place.setup, code="r", name="Ünïcode 'quoted'", permissions=["b", "a"])
    with place.db.connect() as admin:
        stored = admin.execute("SELECT permissions::text FROM mes_role WHERE id = %s", [role.pk]).fetchone()[0]
        (columns,) = admin.execute("SELECT s.columns FROM mes_auditrow a JOIN mes_rowschema s ON s.id = a.schema WHERE a.row_id = %s", [role.pk]).fetchone()
    assert json.loads(stored) == ["a", "b"]
    assert {"code", "name", "permissions", "recorded_at", "site_id", "version", "id"} == set(columns)
    assert User.objects.get(pk=place.ben.user_id).version == 1
