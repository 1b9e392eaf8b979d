-- migrate:up transaction:false

-- For delete_old of storage/idempotency.py: whose answer does nobody need any more?
CREATE INDEX CONCURRENTLY idempotency_keys_by_age ON idempotency_keys (created_at);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
