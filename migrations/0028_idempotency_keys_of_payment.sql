-- migrate:up transaction:false

-- For take_over_sending of storage/idempotency.py: may this payment be sent again?
CREATE INDEX CONCURRENTLY idempotency_keys_of_payment ON idempotency_keys (payment_id);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
