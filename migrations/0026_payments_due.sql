-- migrate:up transaction:false

-- For claim_due of storage/checks.py: which payments does reconcile look at now?
CREATE INDEX CONCURRENTLY payments_due ON payments (next_check_at) WHERE next_check_at IS NOT NULL;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
