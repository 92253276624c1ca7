-- The database's own guards. Run by the migrator after every migrate, in this order; every statement can be repeated.
-- Functions belong to the no-login role cartulary_guard, which has a policy of its own on every table.

-- Where one site is real, record time is the database's own, whatever the application's role writes into the simulated clock.
CREATE OR REPLACE FUNCTION guard.clock_offset() RETURNS interval LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM public.mes_site WHERE NOT demo) THEN RETURN interval '0'; END IF;
  RETURN coalesce((SELECT max("offset") FROM public.mes_simulatedclock), interval '0');
END $$;

-- Record time. clock_timestamp(), not now(): a transaction held open must not yield an early time.
-- It is asked for every row: the offset is read here, not by a call of clock_offset(), which does the same, and only where there is one.
CREATE OR REPLACE FUNCTION guard.record_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM public.mes_simulatedclock) THEN RETURN clock_timestamp(); END IF;
  IF EXISTS (SELECT 1 FROM public.mes_site WHERE NOT demo) THEN RETURN clock_timestamp(); END IF;
  RETURN clock_timestamp() + coalesce((SELECT max("offset") FROM public.mes_simulatedclock), interval '0');
END $$;

-- The deed's token holds the transaction's id, so a token left over by an earlier transaction opens nothing.
CREATE OR REPLACE FUNCTION guard.open_deed(deed uuid, actor uuid, site uuid) RETURNS timestamptz LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM set_config('cartulary.deed', deed::text || ':' || pg_current_xact_id()::text, true);
  PERFORM set_config('cartulary.actor', actor::text, true);
  PERFORM set_config('cartulary.site', site::text, true);
  RETURN guard.record_now();
END $$;

-- These two are asked for every row. Their bodies are read once, here, so that no search_path of a caller changes what they mean, and
-- PostgreSQL writes them into the statement that asks, as it cannot do with a function that sets one.
CREATE OR REPLACE FUNCTION guard.deed_is_open() RETURNS boolean LANGUAGE sql VOLATILE
RETURN coalesce(split_part(nullif(current_setting('cartulary.deed', true), ''), ':', 2) = pg_current_xact_id()::text, false);

CREATE OR REPLACE FUNCTION guard.current_site() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('cartulary.site', true), '')::uuid;

-- Own site, or a site that takes part in the lot. Without a site context: nothing.
CREATE OR REPLACE FUNCTION guard.may_see(site uuid, lot uuid) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
DECLARE mine uuid := nullif(current_setting('cartulary.site', true), '')::uuid;
BEGIN
  IF mine IS NULL THEN RETURN false; END IF;
  IF site = mine THEN RETURN true; END IF;
  IF lot IS NULL THEN RETURN false; END IF;
  RETURN EXISTS (SELECT 1 FROM public.batches_lotsite p WHERE p.lot_id = lot AND p.site_id = mine);
END $$;

-- Network master data (recipes, specifications, products): every site reads it, none without a context.
CREATE OR REPLACE FUNCTION guard.may_see_master(site uuid) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, public AS $$
  SELECT nullif(current_setting('cartulary.site', true), '') IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION guard.refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
BEGIN
  RAISE EXCEPTION 'Cartulary refuses % on %: rows of this table are only ever added', TG_OP, TG_TABLE_NAME USING ERRCODE = 'CT001';
END $$;

CREATE OR REPLACE FUNCTION guard.refuse_removal() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
BEGIN
  RAISE EXCEPTION 'Cartulary refuses % on %: records are never removed', TG_OP, TG_TABLE_NAME USING ERRCODE = 'CT001';
END $$;

-- Facts: a deed must be open, and the database gives time and transaction whatever the statement says.
CREATE OR REPLACE FUNCTION guard.before_fact() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
BEGIN
  IF NOT guard.deed_is_open() THEN
    RAISE EXCEPTION 'Cartulary refuses a row of % without a deed', TG_TABLE_NAME USING ERRCODE = 'CT002';
  END IF;
  NEW.tx := pg_current_xact_id();
  NEW.recorded_at := guard.record_now();
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION guard.before_record() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
BEGIN
  IF NOT guard.deed_is_open() THEN
    RAISE EXCEPTION 'Cartulary refuses a change of % without a deed', TG_TABLE_NAME USING ERRCODE = 'CT002';
  END IF;
  NEW.tx := pg_current_xact_id();
  IF TG_OP = 'INSERT' THEN
    NEW.recorded_at := guard.record_now();
    IF NEW.version <> 1 THEN
      RAISE EXCEPTION 'Cartulary refuses %: a new record has version 1', TG_TABLE_NAME USING ERRCODE = 'CT004';
    END IF;
  ELSIF NEW.id <> OLD.id OR NEW.site_id <> OLD.site_id OR NEW.recorded_at <> OLD.recorded_at OR NEW.version <> OLD.version + 1 THEN
    RAISE EXCEPTION 'Cartulary refuses %: key, site and first time stay, the version rises by one', TG_TABLE_NAME USING ERRCODE = 'CT004';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION guard.before_history() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public AS $$
BEGIN
  IF NOT guard.deed_is_open() THEN
    RAISE EXCEPTION 'Cartulary refuses a row of % without a deed', TG_TABLE_NAME USING ERRCODE = 'CT002';
  END IF;
  RETURN NEW;
END $$;

-- Deferred: the commit is refused when a fact has no cited row in the trail of this very transaction.
-- The plan is kept for the session: made while the trail was small it would read the whole trail for every row ever after.
CREATE OR REPLACE FUNCTION guard.fact_is_sealed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM public.mes_auditrow a WHERE a.row_id = NEW.id AND a.version = 1 AND a."table" = TG_TABLE_NAME
                 AND a.tx = pg_current_xact_id()) THEN
    RAISE EXCEPTION 'Cartulary refuses the commit: % % has no audit row', TG_TABLE_NAME, NEW.id USING ERRCODE = 'CT003';
  END IF;
  RETURN NULL;
END $$;

-- Deferred: a changed record needs its audit row and exactly one history row that holds the very same values: sealed_<table>(), made for
-- each table of records from its model (record_is_sealed() in guards.py), so that its plans are kept for the session.

-- Deferred: a history row is cited by the trail in this transaction. TG_ARGV[0] is the record's table.
CREATE OR REPLACE FUNCTION guard.history_is_sealed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM public.mes_auditrow a WHERE a.row_id = NEW.id AND a.version = NEW.version AND a."table" = TG_ARGV[0]
                 AND a.tx = pg_current_xact_id()) THEN
    RAISE EXCEPTION 'Cartulary refuses the commit: % % version % has no audit row', TG_TABLE_NAME, NEW.id, NEW.version USING ERRCODE = 'CT003';
  END IF;
  RETURN NULL;
END $$;

-- The chain's guard: checks what trail.append() assigned; assigns nothing.
CREATE OR REPLACE FUNCTION guard.before_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
DECLARE before record;
BEGIN
  IF NOT guard.deed_is_open() THEN
    RAISE EXCEPTION 'Cartulary refuses an audit entry without a deed' USING ERRCODE = 'CT002';
  END IF;
  IF NEW.hash <> sha256('cartulary:entry:v1'::bytea || '\x00'::bytea || NEW.canon) THEN
    RAISE EXCEPTION 'Cartulary refuses an audit entry: its hash is not that of its bytes' USING ERRCODE = 'CT005';
  END IF;
  IF NEW.seq = 1 THEN
    IF NEW.prev_hash <> decode(repeat('00', 32), 'hex') THEN
      RAISE EXCEPTION 'Cartulary refuses an audit entry: a stream begins from nothing' USING ERRCODE = 'CT005';
    END IF;
  ELSE
    SELECT * INTO before FROM public.mes_auditentry e WHERE e.stream = NEW.stream AND e.seq = NEW.seq - 1;
    IF NOT FOUND OR before.hash <> NEW.prev_hash THEN
      RAISE EXCEPTION 'Cartulary refuses an audit entry: % #% does not follow its predecessor', NEW.stream, NEW.seq USING ERRCODE = 'CT005';
    END IF;
    IF NEW.at < before.at THEN
      RAISE EXCEPTION 'Cartulary refuses an audit entry: time runs backwards in %', NEW.stream USING ERRCODE = 'CT005';
    END IF;
  END IF;
  IF NEW.at > guard.record_now() OR NEW.at < guard.record_now() - interval '1 minute' OR abs(extract(epoch FROM clock_timestamp() - NEW.wall)) > 60 THEN
    RAISE EXCEPTION 'Cartulary refuses an audit entry: its time is not now' USING ERRCODE = 'CT005';
  END IF;
  NEW.tx := pg_current_xact_id();
  RETURN NEW;
END $$;

-- A row is cited by an entry of the same transaction: one that is hung onto an entry of the past would be no chain entry of this change.
CREATE OR REPLACE FUNCTION guard.before_audit_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
BEGIN
  IF NOT guard.deed_is_open() THEN
    RAISE EXCEPTION 'Cartulary refuses an audit row without a deed' USING ERRCODE = 'CT002';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM public.mes_auditentry e WHERE e.id = NEW.entry_id AND e.tx = pg_current_xact_id()) THEN
    RAISE EXCEPTION 'Cartulary refuses an audit row: its entry is not of this deed' USING ERRCODE = 'CT005';
  END IF;
  NEW.tx := pg_current_xact_id();
  RETURN NEW;
END $$;

-- Writes what mes/audit/trail.py hands it: one entry per stream, with its cited rows, in one statement whatever their number. Heads are
-- locked in the order given, last of all and for as long as this takes. `pieces` are the entry's canonical text, cut where the time, the
-- hash before, the sequence and the wall time go in. It acts with the caller's own rights, and before_entry() checks what it assigns.
CREATE OR REPLACE FUNCTION guard.append(deed jsonb, entries jsonb) RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
DECLARE
  entry jsonb; head record; at timestamptz; wall timestamptz; canon bytea; digest bytea; stream text; entry_id uuid; lot uuid;
  site uuid := (deed->>'site')::uuid; form text := 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"';
BEGIN
  FOR entry IN SELECT value FROM jsonb_array_elements(entries) WITH ORDINALITY AS e(value, place) ORDER BY place LOOP
    stream := entry->>'stream'; entry_id := (entry->>'id')::uuid; lot := (entry->>'lot')::uuid;
    SELECT h.seq, h.hash INTO head FROM public.mes_streamhead h WHERE h.stream = entry->>'stream' FOR UPDATE;
    IF NOT FOUND THEN
      -- two first entries of a stream: the second waits here, and goes on from the first
      INSERT INTO public.mes_streamhead AS h (stream, site_id, seq, hash) VALUES (entry->>'stream', site, 0, decode(repeat('00', 32), 'hex'))
      ON CONFLICT ON CONSTRAINT mes_streamhead_pkey DO UPDATE SET seq = h.seq RETURNING h.seq, h.hash INTO head;
    END IF;
    at := guard.record_now(); wall := clock_timestamp();
    canon := convert_to((entry->'pieces'->>0) || to_char(at AT TIME ZONE 'UTC', form) || (entry->'pieces'->>1) || encode(head.hash, 'hex')
      || (entry->'pieces'->>2) || (head.seq + 1)::text || (entry->'pieces'->>3) || to_char(wall AT TIME ZONE 'UTC', form) || (entry->'pieces'->>4), 'UTF8');
    digest := sha256('cartulary:entry:v1'::bytea || '\x00'::bytea || canon);
    INSERT INTO public.mes_auditentry (id, stream, seq, site_id, lot_id, deed_id, at, wall, by_id, by_username, by_name, role, channel, station,
                                       events, reason, canon, prev_hash, hash)
    VALUES (entry_id, stream, head.seq + 1, site, lot, (deed->>'id')::uuid, at, wall, (deed->>'by')::uuid, deed->>'username', deed->>'name',
            deed->>'role', deed->>'channel', deed->>'station', deed->'events', deed->>'reason', canon, head.hash, digest);
    INSERT INTO public.mes_auditrow (entry_id, site_id, lot_id, "table", row_id, version, schema, digest)
    SELECT entry_id, site, r.lot, r.tbl, r.row_id, r.version, r.schema, decode(r.digest, 'hex')
    FROM jsonb_to_recordset(entry->'rows') AS r(lot uuid, tbl text, row_id uuid, version int, schema text, digest text);
    UPDATE public.mes_streamhead h SET seq = head.seq + 1, hash = digest WHERE h.stream = entry->>'stream';
  END LOOP;
END $$;

-- Duties that one person never holds together, as mes/people/segregation.py lists them (a test compares). ACC-07.
CREATE OR REPLACE FUNCTION guard.conflicts() RETURNS TABLE (code text, one text, other text) LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public AS $$
  VALUES ('administrator_with_gmp_rights', 'mes.manage_people', 'batches.*'),
         ('administrator_with_gmp_rights', 'mes.manage_people', 'quality.*'),
         ('administrator_approves_access', 'mes.manage_people', 'mes.approve_access'),
         ('administrator_checks_identity', 'mes.manage_people', 'mes.record_training'),
         ('author_approves_recipe', 'batches.author_recipes', 'batches.approve_recipes'),
         ('author_approves_specification', 'quality.author_specifications', 'quality.approve_specifications'),
         ('tester_certifies', 'quality.record_results', 'quality.certify_lot')
$$;

-- The first conflict among the permissions of some roles, or null.
CREATE OR REPLACE FUNCTION guard.conflict_in(roles jsonb) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public AS $$
  WITH held AS (SELECT DISTINCT permission FROM jsonb_array_elements(roles) AS r(permissions), jsonb_array_elements_text(r.permissions) AS p(permission))
  SELECT c.code FROM guard.conflicts() c
  WHERE EXISTS (SELECT 1 FROM held WHERE permission = c.one)
    AND EXISTS (SELECT 1 FROM held WHERE CASE WHEN right(c.other, 1) = '*' THEN starts_with(permission, left(c.other, -1)) ELSE permission = c.other END)
  LIMIT 1
$$;

-- Nobody is given, at any one time, roles with which one person would hold two duties that are kept apart; whoever asks, by whatever statement.
-- Grants of a site wait for each other: two that come at the same moment would not see each other.
CREATE OR REPLACE FUNCTION guard.duties_apart() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
DECLARE conflict text;
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.user_id = OLD.user_id AND NEW.role_id = OLD.role_id AND NEW.site_id = OLD.site_id AND NEW.starts_at = OLD.starts_at
     AND NEW.ends_at IS NOT NULL AND NEW.ends_at <= coalesce(OLD.ends_at, 'infinity') THEN
    RETURN NEW;  -- it only ends earlier
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('cartulary duties ' || NEW.site_id::text, 0));
  SELECT guard.conflict_in(coalesce(jsonb_agg(r.permissions), '[]'::jsonb)) INTO conflict FROM public.mes_role r
  WHERE r.id = NEW.role_id OR r.id IN (
    SELECT g.role_id FROM public.mes_grant g
    WHERE g.user_id = NEW.user_id AND g.site_id = NEW.site_id AND g.id <> NEW.id
      AND g.starts_at < coalesce(NEW.ends_at, 'infinity') AND coalesce(g.ends_at, 'infinity') > NEW.starts_at);
  IF conflict IS NOT NULL THEN
    RAISE EXCEPTION 'Cartulary refuses this role: one person would hold duties that are kept apart (%)', conflict USING ERRCODE = 'CT006';
  END IF;
  RETURN NEW;
END $$;

-- Nor does a role come to hold two such duties, by itself or beside the other roles of somebody who has it.
CREATE OR REPLACE FUNCTION guard.role_apart() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
DECLARE conflict text;
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.permissions = OLD.permissions THEN RETURN NEW; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('cartulary duties ' || NEW.site_id::text, 0));
  conflict := guard.conflict_in(jsonb_build_array(NEW.permissions));
  IF conflict IS NULL AND TG_OP = 'UPDATE' THEN
    SELECT guard.conflict_in(jsonb_build_array(NEW.permissions, r.permissions)) INTO conflict
    FROM public.mes_grant mine JOIN public.mes_grant g ON g.user_id = mine.user_id AND g.site_id = mine.site_id AND g.role_id <> NEW.id
    JOIN public.mes_role r ON r.id = g.role_id
    WHERE mine.role_id = NEW.id AND coalesce(mine.ends_at, 'infinity') > guard.record_now() AND coalesce(g.ends_at, 'infinity') > guard.record_now()
      AND g.starts_at < coalesce(mine.ends_at, 'infinity') AND coalesce(g.ends_at, 'infinity') > mine.starts_at
      AND guard.conflict_in(jsonb_build_array(NEW.permissions, r.permissions)) IS NOT NULL
    LIMIT 1;
  END IF;
  IF conflict IS NOT NULL THEN
    RAISE EXCEPTION 'Cartulary refuses this role: one person would hold duties that are kept apart (%)', conflict USING ERRCODE = 'CT006';
  END IF;
  RETURN NEW;
END $$;
