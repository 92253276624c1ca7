-- Rights inside one database of Cartulary. Run by mes/embedded/roles.py, connected to that database, after roles.sql.
-- Rights on tables follow from each model's kind and are given after every migration, not here.
ALTER DATABASE {database} OWNER TO cartulary_owner;
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT ON DATABASE {database} TO cartulary_migrator, cartulary_app, cartulary_verifier, cartulary_reader;

ALTER SCHEMA public OWNER TO cartulary_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO cartulary_app, cartulary_verifier, cartulary_reader;
-- CREATE: a function can only be handed to a role that may create in its schema
GRANT USAGE, CREATE ON SCHEMA public TO cartulary_guard;

ALTER DATABASE {database} SET timezone = 'UTC';
ALTER DATABASE {database} SET search_path = public;
ALTER ROLE cartulary_verifier IN DATABASE {database} SET default_transaction_read_only = on;
ALTER ROLE cartulary_reader IN DATABASE {database} SET default_transaction_read_only = on;
