-- migrate:up

-- What the functions may do is granted to this role, which owns nothing and cannot log in.
-- The login that DATABASE_URL names is made by the operator and is a member of it:
--   CREATE ROLE tollgate LOGIN PASSWORD '…' IN ROLE tollgate_service;
DO $$
BEGIN
    CREATE ROLE tollgate_service NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- roles belong to the cluster: another database of it has made it already
END
$$;

GRANT USAGE ON SCHEMA public TO tollgate_service;

-- Nothing of this database is anybody's by default.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
