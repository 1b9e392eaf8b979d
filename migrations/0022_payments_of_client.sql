-- migrate:up transaction:false

-- For list_payments of storage/payments.py: the payments of one client, newest first.
CREATE INDEX CONCURRENTLY payments_of_client ON payments (app_id, client_id, id);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
