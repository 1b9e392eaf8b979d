-- migrate:up

SELECT set_config('tollgate.app_id', '*', true);
ALTER TABLE audit_links VALIDATE CONSTRAINT audit_links_audit_id_fkey;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
