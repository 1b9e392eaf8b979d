-- migrate:up transaction:false

-- For list_payments of storage/payments.py: what waits for an operator?
CREATE INDEX CONCURRENTLY payments_in_review ON payments (id) WHERE status = 'needs_review';

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
