"""Somebody holds the application's database role and wants another past."""

import datetime as dt
import json

import pytest

from mes.keys import uuid7

DANGER = "the record says what did not happen"


def open_deed(raw, siege):
    raw.execute("SELECT guard.open_deed(%s, %s, %s)", [uuid7(), siege.users["maya"].pk, siege.place.site.pk])


@pytest.mark.req("AUD-06", case="negative")
@pytest.mark.parametrize(
    "table",
    ["batches_entry", "mes_signature", "mes_signaturepayload", "mes_auditentry", "mes_auditrow", "batches_lothistory", "quality_result", "mes_securityevent"],
)
def test_a_row_of_the_past_is_changed_or_removed(siege, raw, attack, table):
    """With a forged deed open: UPDATE, then DELETE, on facts, history, signatures and the trail"""
    for statement in (f'UPDATE "{table}" SET id = id', f'DELETE FROM "{table}"'):
        open_deed(raw, siege)
        with attack.refused_by_database("42501"):  # the role was never given the right
            raw.execute(statement)
        raw.rollback()


@pytest.mark.req("AUD-06", case="negative")
def test_a_record_is_changed_without_history_and_trail(siege, raw, attack):
    """With a forged deed open: change a lot by SQL, version and all, and commit"""
    open_deed(raw, siege)
    raw.execute("UPDATE batches_lot SET state = 'certified_final', version = version + 1 WHERE id = %s", [siege.young.pk])
    with attack.refused_by_database("CT003"):
        raw.execute("SET CONSTRAINTS ALL IMMEDIATE")


NO_DEED = {
    "a MERGE": "MERGE INTO mes_user u USING (SELECT %(user)s::uuid AS id) g ON u.id = g.id WHEN MATCHED THEN UPDATE SET full_name = 'x', version = version + 1",
    "an upsert": "INSERT INTO mes_user SELECT * FROM mes_user u WHERE id = %(user)s ON CONFLICT (id) DO UPDATE SET version = mes_user.version + 1",
    "a write inside a WITH": "WITH w AS (UPDATE mes_user SET full_name = 'x', version = version + 1 WHERE id = %(user)s RETURNING id) SELECT count(*) FROM w",
    "a DO block": "DO $$ BEGIN UPDATE mes_user SET full_name = 'x', version = version + 1; END $$",
    "an upsert into a working row and a record at once": (
        "WITH w AS (UPDATE mes_failurecounter SET pins = 0 RETURNING user_id) UPDATE mes_user SET full_name = 'x', version = version + 1 WHERE id = %(user)s"
    ),
}


@pytest.mark.req("AUD-06", case="negative")
def test_a_record_is_written_without_a_deed(siege, raw, attack):
    """Without a deed: MERGE, ON CONFLICT, a WITH, a DO block and COPY; with one that was rolled back to before it, left over, or made up"""
    user = siege.users["maya"].pk

    def begin():
        raw.rollback()
        raw.execute("SELECT set_config('cartulary.site', %s, false)", [str(siege.place.site.pk)])

    for statement in NO_DEED.values():
        begin()
        with attack.refused_by_database("CT002"):
            raw.execute(statement, {"user": user} if "%(user)s" in statement else None)
    begin()
    line = raw.execute("SELECT * FROM mes_usedcode LIMIT 0")
    names = ", ".join(column.name for column in line.description if column.name in ("id", "site_id", "by_id", "user_id", "time_step"))
    values = {"id": uuid7(), "site_id": siege.place.site.pk, "by_id": user, "user_id": user, "time_step": 1}
    with attack.refused_by_database("CT002"), raw.cursor() as cursor, cursor.copy(f"COPY mes_usedcode ({names}) FROM STDIN") as copy:
        copy.write_row([values[name] for name in names.split(", ")])
    write = "UPDATE mes_user SET full_name = 'x', version = version + 1 WHERE id = %s"
    begin()
    raw.execute("SAVEPOINT before")
    open_deed(raw, siege)
    raw.execute("ROLLBACK TO SAVEPOINT before")
    with attack.refused_by_database("CT002"):
        raw.execute(write, [user])
    begin()
    open_deed(raw, siege)
    (token,) = raw.execute("SELECT current_setting('cartulary.deed')").fetchone()
    begin()
    for said in (token, f"{uuid7()}:", f"{uuid7()}:0", ":"):
        raw.execute("SELECT set_config('cartulary.deed', %s, false)", [said])
        raw.commit()
        with attack.refused_by_database("CT002"):
            raw.execute(write, [user])
        raw.rollback()
    raw.execute("SELECT set_config('cartulary.deed', '', false)")
    raw.commit()


def change_by_statement(raw, siege, **said) -> int:
    """Give the young lot a new version and a history row, in which `said` stands instead of the truth; the version's number."""
    said = {
        "history_id": "gen_random_uuid()", "history_date": "guard.record_now()", "history_change_reason": "''", "history_type": "'~'",
        "history_user_id": f"'{siege.users['maya'].pk}'",
    } | said  # fmt: skip
    raw.execute("UPDATE batches_lot SET version = version + 1 WHERE id = %s", [siege.young.pk])
    names = [name for (name,) in raw.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'batches_lothistory'").fetchall()]
    values = ", ".join(said.get(name, name) for name in names)
    raw.execute(f"INSERT INTO batches_lothistory ({', '.join(names)}) SELECT {values} FROM batches_lot WHERE id = %s", [siege.young.pk])
    return raw.execute("SELECT version FROM batches_lot WHERE id = %s", [siege.young.pk]).fetchone()[0]


def append_by_statement(raw, siege, version: int) -> None:
    lot, maya = str(siege.young.pk), siege.users["maya"]
    deed = {
        "id": str(uuid7()), "site": str(siege.place.site.pk), "by": str(maya.pk), "username": maya.username, "name": maya.full_name, "role": "",
        "channel": "", "station": "", "events": [], "reason": "",
    }  # fmt: skip
    row = {"lot": lot, "tbl": "batches_lot", "row_id": lot, "version": version, "schema": "forged", "digest": "00" * 32}
    entry = {"id": str(uuid7()), "stream": f"lot:{lot}", "lot": lot, "pieces": ["{", "", "", "", "}"], "rows": [row]}
    raw.execute("SELECT guard.append(%s::jsonb, %s::jsonb)", [json.dumps(deed), json.dumps([entry])])


@pytest.mark.req("AUD-06", case="negative")
def test_a_change_is_hung_onto_an_entry_of_the_past(siege, raw, attack):
    """With a forged deed open: change a lot with its history row, and cite it by an entry that was written long before"""
    open_deed(raw, siege)
    version = change_by_statement(raw, siege)
    with attack.refused_by_database("CT005"):
        raw.execute(
            'INSERT INTO mes_auditrow (entry_id, site_id, lot_id, "table", row_id, version, schema, digest) SELECT id, site_id, lot_id, '
            "'batches_lot', lot_id, %s, 'forged', 'forged' FROM mes_auditentry WHERE stream = %s ORDER BY seq LIMIT 1",
            [version, f"lot:{siege.young.pk}"],
        )


@pytest.mark.req("AUD-06", case="negative")
def test_a_change_is_written_in_the_name_of_another(siege, raw, attack):
    """With a forged deed open: change a lot, with a history row that names another person, an earlier time, another reason, or a first version"""
    others = {
        "history_user_id": f"'{siege.users['anna'].pk}'", "history_date": "guard.record_now() - interval '1 day'",
        "history_change_reason": "'QA asked for it'", "history_type": "'+'",
    }  # fmt: skip
    for name, value in others.items():
        open_deed(raw, siege)
        append_by_statement(raw, siege, change_by_statement(raw, siege, **{name: value}))
        with attack.refused_by_database("CT003"):
            raw.execute("SET CONSTRAINTS ALL IMMEDIATE")
        raw.rollback()
        raw.execute("SELECT set_config('cartulary.site', %s, false)", [str(siege.place.site.pk)])
    open_deed(raw, siege)
    append_by_statement(raw, siege, change_by_statement(raw, siege))
    raw.execute("SET CONSTRAINTS ALL IMMEDIATE")  # the truth is taken, so that it was the lies that were refused


@pytest.mark.req("AUD-06", case="negative")
def test_a_fact_is_inserted_without_the_trail(siege, raw, attack):
    """With a forged deed open: copy a value under a new key and commit"""
    columns = [name for (name,) in raw.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'batches_entry'").fetchall()]
    said = {"id": "gen_random_uuid()", "supersedes_id": "NULL", "value_text": "'99'", "parameter": "'forged'"}
    open_deed(raw, siege)
    raw.execute(f"INSERT INTO batches_entry ({', '.join(columns)}) SELECT {', '.join(said.get(name, name) for name in columns)} FROM batches_entry LIMIT 1")
    with attack.refused_by_database("CT003"):
        raw.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.req("AUD-06", case="negative")
def test_an_entry_of_the_trail_is_forged(siege, raw, attack):
    """With a forged deed open: copy the newest entry of a lot's trail as its next one, and one that is back-dated"""
    stream = f"lot:{siege.lot.pk}"
    columns = "id, stream, seq, site_id, lot_id, deed_id, at, wall, by_username, by_name, role, channel, station, events, reason, canon, prev_hash, hash"
    for change in ({"seq": "seq + 1"}, {"seq": "seq + 1", "prev_hash": "hash", "at": "at - interval '1 year'"}):
        said = ", ".join({"id": "gen_random_uuid()"}.get(name, change.get(name, name)) for name in columns.split(", "))
        open_deed(raw, siege)
        with attack.refused_by_database("CT005"):
            raw.execute(f"INSERT INTO mes_auditentry ({columns}) SELECT {said} FROM mes_auditentry WHERE stream = %s ORDER BY seq DESC LIMIT 1", [stream])
        raw.rollback()
        raw.execute("SELECT set_config('cartulary.site', %s, false)", [str(siege.place.site.pk)])


@pytest.mark.req("ACC-07", case="negative")
def test_one_person_is_given_two_duties_by_statement(siege, raw, attack):
    """With a forged deed open: give an analyst the Qualified Person's role, from now and for a later hour; write that right into the role they hold"""
    analyst, role, own = raw.execute(
        "SELECT (SELECT id FROM mes_user WHERE id = %s), (SELECT id FROM mes_role WHERE code = 'qa_release' AND site_id = %s), "
        "(SELECT id FROM mes_role WHERE code = 'qc_analyst' AND site_id = %s)",
        [siege.users["anna"].pk, siege.place.site.pk, siege.place.site.pk],
    ).fetchone()
    give = (
        "INSERT INTO mes_grant (id, site_id, version, user_id, role_id, starts_at, ends_at, given_by_id) "
        "VALUES (%s, %s, 1, %s, %s, guard.record_now() + %s::interval, %s, %s)"
    )
    for begins in ("0", "3 days"):
        open_deed(raw, siege)
        with attack.refused_by_database("CT006"):
            raw.execute(give, [uuid7(), siege.place.site.pk, analyst, role, begins, None, siege.users["maya"].pk])
        raw.rollback()
    open_deed(raw, siege)
    with attack.refused_by_database("CT006"):
        raw.execute("UPDATE mes_role SET permissions = permissions || '[\"quality.certify_lot\"]'::jsonb, version = version + 1 WHERE id = %s", [own])


@pytest.mark.req("AUD-04", case="negative")
def test_the_clock_is_moved_at_a_real_site(siege, raw, attack):
    """Write an offset into the simulated clock of an installation with a real site"""
    with siege.database.connect() as admin:
        moved = 'INSERT INTO mes_simulatedclock (id, "offset") VALUES (1, interval \'-30 days\') ON CONFLICT (id) DO UPDATE SET "offset" = EXCLUDED."offset"'
        admin.execute(moved)
        assert admin.execute("SELECT guard.record_now() < clock_timestamp() - interval '29 days'").fetchone() == (True,)
        # The same installation, but its site is real: done past the guards, as only the owner of the database could.
        admin.execute("ALTER TABLE mes_site DISABLE TRIGGER USER")
        admin.execute("UPDATE mes_site SET demo = false")
        offset, now, clock = admin.execute("SELECT guard.clock_offset(), guard.record_now(), clock_timestamp()").fetchone()
        admin.rollback()
    assert offset == dt.timedelta(0) and abs(now - clock) < dt.timedelta(seconds=1)
    attack.came_of_it("without effect: record time stays the database's own")


def test_the_guards_are_taken_away(siege, raw, attack):
    """As the application: switch a trigger off, play replica, become the owner, empty a table"""
    for statement in (
        "ALTER TABLE batches_entry DISABLE TRIGGER ALL", "SET session_replication_role = replica", "SET ROLE cartulary_owner", "TRUNCATE batches_entry CASCADE",
        "CREATE OR REPLACE FUNCTION guard.deed_is_open() RETURNS boolean LANGUAGE sql AS 'SELECT true'", "COPY batches_entry TO PROGRAM 'cat'",
    ):  # fmt: skip
        with attack.refused_by_database("42501"):
            raw.execute(statement)
        raw.rollback()
