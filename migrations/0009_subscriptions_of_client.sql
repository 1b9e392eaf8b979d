-- migrate:up transaction:false

-- For had_subscription of storage/subscriptions.py: did this client ever have the product?
CREATE INDEX CONCURRENTLY subscriptions_of_client ON subscriptions (app_id, client_id, product);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
