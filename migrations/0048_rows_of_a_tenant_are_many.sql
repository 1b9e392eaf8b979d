-- migrate:up

-- The wall between apps, as before. A comparison of two settings looks to the planner like one that
-- holds for a row in two hundred: of any table it expected a single visible row, and read and sorted
-- all that is due, or all payments of an app, to give the first few. It takes a CASE for one in two.

CREATE OR REPLACE FUNCTION sees_client(row_client_id text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN coalesce(current_setting('tollgate.client_id', true), '') IN ('', row_client_id)
    THEN true ELSE false END;

CREATE OR REPLACE FUNCTION is_app(row_app_id text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN coalesce(current_setting('tollgate.client_id', true), '') = ''
    THEN sees_app(row_app_id) ELSE false END;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
