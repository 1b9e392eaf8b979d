-- migrate:up transaction:false

-- Whoever wants to charge for a bill again must end the try before.
CREATE UNIQUE INDEX CONCURRENTLY one_open_payment_per_bill ON payments (bill_id)
    WHERE status IN ('pending', 'requires_action', 'processing', 'authorized');

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
