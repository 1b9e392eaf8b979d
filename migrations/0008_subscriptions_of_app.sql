-- migrate:up transaction:false

-- As payments_of_app.
CREATE UNIQUE INDEX CONCURRENTLY subscriptions_of_app ON subscriptions (app_id, id);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
