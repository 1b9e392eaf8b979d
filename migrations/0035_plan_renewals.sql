-- migrate:up

-- behind a long reader this fails, instead of making everybody wait behind it: run it again
SET LOCAL lock_timeout = '2s';

-- How a plan's renewals are asked for: domain/bill.py. Days are of 24 hours.
ALTER TABLE plans
    ADD COLUMN renewal_lead_days integer NOT NULL DEFAULT 3,
    ADD COLUMN dunning_days integer[] NOT NULL DEFAULT '{1,3,5,7}',
    ADD COLUMN proration text NOT NULL DEFAULT 'credit';
ALTER TABLE plans
    ADD CONSTRAINT renewal_lead_is_short CHECK (renewal_lead_days BETWEEN 0 AND 60) NOT VALID,
    ADD CONSTRAINT dunning_ends CHECK (
        cardinality(dunning_days) <= 10 AND 0 <= ALL (dunning_days) AND 60 >= ALL (dunning_days))
        NOT VALID,
    ADD CONSTRAINT proration_is_one CHECK (proration IN ('credit', 'charge_now', 'none')) NOT VALID;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
