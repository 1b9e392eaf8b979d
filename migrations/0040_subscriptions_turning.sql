-- migrate:up transaction:false

-- For move_due and list_resuming of storage/sweeps.py: which subscriptions turn by now?
CREATE INDEX CONCURRENTLY subscriptions_turning ON subscriptions (turns_at) WHERE turns_at IS NOT NULL;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
