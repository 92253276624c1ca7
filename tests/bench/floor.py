"""The floor: one SQL function that writes what a submission writes. Nothing that talks to the database row by row can be faster.

It writes 10 facts, 1 record, its history row, 1 audit entry and 11 cited rows, with the same columns, digests, canonical
bytes, indexes and foreign keys as the product, into copies of its tables that no guard stands on. It is made from the
models' fields, and its digests and hashes are compared with the product's own functions before anything is measured.
"""

from __future__ import annotations

import json

from django.db import connection, models

from batches.execution.models import Entry, StepRun
from mes.audit import chain
from mes.records.collector import digest_columns, schema_of

COPIES = {
    "entry": "batches_entry", "run": "batches_steprun", "runhistory": "batches_steprunhistory",
    "auditentry": "mes_auditentry", "auditrow": "mes_auditrow", "streamhead": "mes_streamhead",
}  # fmt: skip
HISTORY = ("history_id", "history_date", "history_change_reason", "history_type", "history_user_id")


def _text(field: models.Field, row: str) -> str:
    """One column in row canon v1, as SQL."""
    name = f'{row}."{field.column}"'
    if isinstance(field, models.BooleanField):
        said = f"{name}::text"
    elif isinstance(field, models.DateTimeField):
        said = f"""'"' || to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"'"""
    elif isinstance(field, models.JSONField):
        said = f"""to_json(replace(replace({name}::text, '": ', '":'), ', "', ',"'))::text"""
    elif isinstance(field, models.CharField | models.TextField | models.GenericIPAddressField):
        said = f"to_json({name})::text"
    else:
        said = f"""'"' || {name}::text || '"'"""
    return f"""'"{field.column}":' || coalesce({said}, 'null')"""


def _digest(model: type[models.Model], row: str) -> str:
    by_column = {field.column: field for field in model._meta.concrete_fields}
    parts = " || ',' || ".join(_text(by_column[column], row) for column, _ in digest_columns(model))
    return f"sha256('cartulary:row:v1'::bytea || '\\x00'::bytea || convert_to('{{' || {parts} || '}}', 'UTF8'))"


def _names(model: type[models.Model], *without: str) -> list[str]:
    return [field.column for field in model._meta.concrete_fields if field.column not in without]


def function() -> str:
    """CREATE FUNCTION bench.submit(...): see the module."""
    entry = _names(Entry, "tx", "recorded_at")
    run = _names(StepRun, "tx")
    return f"""
CREATE FUNCTION bench.submit(deed uuid, entry_id uuid, history_id uuid, run_id uuid, why text, who uuid, username text, full_name text,
                             role text, channel text, station text, given jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  r bench.run; head bench.streamhead; now_ timestamptz := clock_timestamp(); ids uuid[]; digests bytea[]; run_digest bytea;
  cited text; stream_ text; canon_ bytea; hash_ bytea; n bigint;
BEGIN
  UPDATE bench.run SET state_reason = why, version = version + 1, tx = pg_current_xact_id() WHERE id = run_id RETURNING * INTO STRICT r;
  WITH made AS (
    INSERT INTO bench.entry ({", ".join(f'"{name}"' for name in entry)}, recorded_at, tx)
    SELECT {", ".join(f'g."{name}"' for name in entry)}, clock_timestamp(), pg_current_xact_id()
    FROM jsonb_populate_recordset(NULL::bench.entry, given) g RETURNING *
  ) SELECT array_agg(m.id), array_agg({_digest(Entry, "m")}) INTO ids, digests FROM made m;
  INSERT INTO bench.runhistory ({", ".join(f'"{name}"' for name in [*run, *HISTORY])})
  VALUES ({", ".join(f'r."{name}"' for name in run)}, history_id, now_, '', '~', who);
  run_digest := {_digest(StepRun, "r")};
  stream_ := 'lot:' || r.lot_id::text;
  INSERT INTO bench.streamhead (stream, site_id, seq, hash) VALUES (stream_, r.site_id, 0, decode(repeat('00', 32), 'hex'))
  ON CONFLICT (stream) DO UPDATE SET stream = EXCLUDED.stream RETURNING * INTO head;
  n := head.seq + 1;
  SELECT string_agg('["batches_entry","' || i || '","1","{schema_of(Entry)}","' || encode(d, 'hex') || '"]', ',' ORDER BY o) INTO cited
  FROM unnest(ids, digests) WITH ORDINALITY AS u(i, d, o);
  canon_ := convert_to(
    '{{"at":"' || to_char(now_ AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '","by":{{"id":"' || who || '","name":' || to_json(full_name)
    || ',"role":' || to_json(role) || ',"username":' || to_json(username) || '}},"canon":1,"channel":' || to_json(channel) || ',"deed":"' || deed
    || '","events":["value_recorded"],"id":"' || entry_id || '","lot":"' || r.lot_id || '","prev":"' || encode(head.hash, 'hex')
    || '","reason":"","rows":[' || cited || ',["batches_steprun","' || r.id || '","' || r.version || '","{schema_of(StepRun)}","'
    || encode(run_digest, 'hex') || '"]],"seq":"' || n || '","siblings":[],"site":"' || r.site_id || '","station":' || to_json(station)
    || ',"stream":"' || stream_ || '","wall":"' || to_char(now_ AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"}}', 'UTF8');
  hash_ := sha256('cartulary:entry:v1'::bytea || '\\x00'::bytea || canon_);
  INSERT INTO bench.auditentry (id, stream, seq, site_id, lot_id, deed_id, at, wall, by_id, by_username, by_name, role, channel, station,
                                events, reason, canon, prev_hash, hash, tx)
  VALUES (entry_id, stream_, n, r.site_id, r.lot_id, deed, now_, now_, who, username, full_name, role, channel, station,
          '["value_recorded"]', '', canon_, head.hash, hash_, pg_current_xact_id());
  INSERT INTO bench.auditrow (entry_id, site_id, lot_id, "table", row_id, version, schema, digest, tx)
  SELECT entry_id, r.site_id, r.lot_id, 'batches_entry', i, 1, '{schema_of(Entry)}', d, pg_current_xact_id() FROM unnest(ids, digests) AS u(i, d)
  UNION ALL SELECT entry_id, r.site_id, r.lot_id, 'batches_steprun', r.id, r.version, '{schema_of(StepRun)}', run_digest, pg_current_xact_id();
  UPDATE bench.streamhead SET seq = n, hash = hash_ WHERE stream = stream_;
  RETURN n;
END $$"""


def build(admin) -> None:
    """Copies of the product's tables in a schema of their own, with indexes and foreign keys and no guard; and the function."""
    admin.execute("CREATE SCHEMA bench")
    for copy, table in COPIES.items():
        admin.execute(f"CREATE TABLE bench.{copy} (LIKE public.{table} INCLUDING ALL)")
    for copy, table in COPIES.items():
        for name, words in admin.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'", [f"public.{table}"]
        ).fetchall():
            for other, target in COPIES.items():
                words = words.replace(f"REFERENCES {target}(", f"REFERENCES bench.{other}(")
            admin.execute(f'ALTER TABLE bench.{copy} ADD CONSTRAINT "{name}" {words}')
    admin.execute(function())
    admin.execute("GRANT USAGE ON SCHEMA bench TO cartulary_app")
    admin.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA bench TO cartulary_app")
    admin.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA bench TO cartulary_app")
    admin.execute("ANALYZE")


def check(columns_of) -> None:
    """The function's digests and hashes are those of the product's own code. Raises AssertionError."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT canon, hash FROM bench.auditentry ORDER BY seq DESC LIMIT 1")
        canon, digest = (bytes(each) for each in cursor.fetchone())
    assert chain.entry_hash(canon) == digest
    said = json.loads(canon)
    assert chain.entry_canon(said) == canon, "the floor's bytes are not canonical"
    assert len(said["rows"]) == 11
    for table, row_id, _, _, kept in said["rows"]:
        model = Entry if table == "batches_entry" else StepRun
        assert chain.row_digest(columns_of(model, row_id)).hex() == kept, f"the floor digests {table} otherwise than the product"
