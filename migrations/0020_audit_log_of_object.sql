-- migrate:up transaction:false

-- For list_of_object of storage/audit.py: what happened to this payment?
CREATE INDEX CONCURRENTLY audit_log_of_object ON audit_log (object_id, id);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
