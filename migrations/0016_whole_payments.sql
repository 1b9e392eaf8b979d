-- migrate:up

ALTER TABLE payments
    ADD COLUMN request_sha256 bytea, -- of the request that made it: the key's row expires, this does not
    ADD COLUMN amount_captured_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN capture text NOT NULL DEFAULT 'automatic',
    -- what the app asked to take of an authorized payment, and when it asked to let it go
    ADD COLUMN capture_amount_minor bigint,
    ADD COLUMN cancel_asked_at timestamptz,
    ADD COLUMN fee_minor bigint,
    ADD COLUMN fee_currency text,
    -- what the PSP said, where that does not match what was asked
    ADD COLUMN review jsonb,
    -- when reconcile looks at it next, and how often it did in this state; null: nothing is open
    ADD COLUMN next_check_at timestamptz,
    ADD COLUMN checks integer NOT NULL DEFAULT 0;
-- for functions of the release before, which know no checks
ALTER TABLE payments ALTER COLUMN next_check_at SET DEFAULT now();

-- The edges as domain/payment.py has them now.
INSERT INTO payment_edges (from_status, to_status) VALUES
    ('succeeded', 'needs_review'), ('partially_refunded', 'needs_review'),
    ('refunded', 'needs_review'), ('disputed', 'needs_review'),
    ('partially_refunded', 'succeeded'), -- a refund failed after it had succeeded
    ('needs_review', 'partially_refunded'), ('needs_review', 'disputed');

CREATE OR REPLACE FUNCTION payments_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'pending' THEN
            RAISE EXCEPTION 'a payment begins as pending' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.app_id, NEW.client_id, NEW.idempotency_key, NEW.request_sha256,
        NEW.amount_minor, NEW.currency, NEW.capture, NEW.psp, NEW.livemode, NEW.plan, NEW.product,
        NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.app_id, OLD.client_id, OLD.idempotency_key, OLD.request_sha256,
        OLD.amount_minor, OLD.currency, OLD.capture, OLD.psp, OLD.livemode, OLD.plan, OLD.product,
        OLD.created_at)
       OR (OLD.psp_reference IS NOT NULL AND NEW.psp_reference IS DISTINCT FROM OLD.psp_reference)
       OR (OLD.amount_captured_minor <> 0
           AND NEW.amount_captured_minor <> OLD.amount_captured_minor)
       OR (OLD.fee_minor IS NOT NULL
           AND (NEW.fee_minor, NEW.fee_currency) IS DISTINCT FROM (OLD.fee_minor, OLD.fee_currency))
    THEN
        RAISE EXCEPTION 'what a payment is of is fixed for life' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status <> OLD.status AND NOT EXISTS (
        SELECT FROM public.payment_edges e -- not whatever table of this name a session made
        WHERE e.from_status = OLD.status AND e.to_status = NEW.status)
    THEN
        RAISE EXCEPTION 'a payment does not move from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    -- functions of the release before know no captured amount: they took all of it
    IF NEW.status = 'succeeded' AND NEW.amount_captured_minor = 0 AND OLD.amount_captured_minor = 0
    THEN
        NEW.amount_captured_minor := NEW.amount_minor;
    END IF;
    RETURN NEW;
END
$$;

-- 0 <= refunded <= captured <= asked, and the state says the same as the amounts.
ALTER TABLE payments
    ADD CONSTRAINT capture_is_one CHECK (capture IN ('automatic', 'manual')) NOT VALID,
    ADD CONSTRAINT captured_within_amount
        CHECK (amount_captured_minor BETWEEN 0 AND amount_minor) NOT VALID,
    ADD CONSTRAINT capture_within_amount
        CHECK (capture_amount_minor BETWEEN 1 AND amount_minor) NOT VALID,
    ADD CONSTRAINT refunded_within_captured
        CHECK (amount_refunded_minor BETWEEN 0 AND amount_captured_minor) NOT VALID,
    ADD CONSTRAINT fee_has_a_currency CHECK ((fee_minor IS NULL) = (fee_currency IS NULL)) NOT VALID,
    ADD CONSTRAINT state_says_what_was_taken CHECK (
        CASE
            WHEN status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
                THEN amount_captured_minor > 0
            WHEN status <> 'needs_review' THEN amount_captured_minor = 0
            ELSE true
        END) NOT VALID,
    ADD CONSTRAINT state_says_what_went_back CHECK (
        CASE status
            WHEN 'succeeded' THEN amount_refunded_minor = 0
            WHEN 'partially_refunded'
                THEN amount_refunded_minor BETWEEN 1 AND amount_captured_minor - 1
            WHEN 'refunded' THEN amount_refunded_minor = amount_captured_minor
            ELSE true
        END) NOT VALID,
    DROP CONSTRAINT refunded_within_amount;

-- Keys whose answer nobody needs any more are removed; the payment's own row stays.
GRANT DELETE ON idempotency_keys TO tollgate_service;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
