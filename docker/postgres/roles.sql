-- The roles of a PostgreSQL cluster that serves Cartulary. Run by mes/embedded/roles.py (manage.py prepare_database),
-- which fills the places in braces; running it again changes nothing.
--
--   cartulary_owner     no log-in; owns the database and every table
--   cartulary_migrator  logs in for a deployment only and then assumes the owner
--   cartulary_guard     no log-in; owns the guard functions, so that they see every row whoever calls
--   cartulary_app       the application: owns nothing, gets only what the kind of each table allows
--   cartulary_verifier  reads to verify the audit trail
--   cartulary_reader    reads for reports
DO $roles$
DECLARE
    wanted text;
    strong record;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['cartulary_owner', 'cartulary_guard', 'cartulary_migrator',
                                  'cartulary_app', 'cartulary_verifier', 'cartulary_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I', wanted);
        END IF;
    END LOOP;
    SELECT rolname INTO strong FROM pg_roles
     WHERE rolname LIKE 'cartulary\_%' AND rolname <> {admin}
       AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the role % has rights that pass the guards by; take superuser, bypassrls, createrole, createdb and replication from it', strong.rolname;
    END IF;
END
$roles$;

ALTER ROLE cartulary_owner NOLOGIN;
ALTER ROLE cartulary_guard NOLOGIN;
ALTER ROLE cartulary_migrator LOGIN NOINHERIT PASSWORD {cartulary_migrator};
ALTER ROLE cartulary_app LOGIN PASSWORD {cartulary_app};
ALTER ROLE cartulary_verifier LOGIN PASSWORD {cartulary_verifier};
ALTER ROLE cartulary_reader LOGIN PASSWORD {cartulary_reader};

-- The migrator creates tables as the owner, and guard functions that the owner then hands to the guard.
GRANT cartulary_owner TO cartulary_migrator;
GRANT cartulary_guard TO cartulary_owner;
