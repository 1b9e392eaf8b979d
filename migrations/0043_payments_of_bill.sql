-- migrate:up transaction:false

-- For find_newest of storage/bill_payments.py: how did the last try to pay it go?
CREATE INDEX CONCURRENTLY payments_of_bill ON payments (bill_id, id) WHERE bill_id IS NOT NULL;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
