-- migrate:up transaction:false

-- For list_periods of storage/periods.py: what was paid for and is not over?
CREATE INDEX CONCURRENTLY periods_of_subscription ON subscription_periods (subscription_id, ends_at);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
