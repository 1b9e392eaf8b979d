-- migrate:up

-- behind a long reader this fails, instead of making everybody wait behind it: run it again
SET LOCAL lock_timeout = '2s';

ALTER TABLE payments
    -- whose page the client pays on, and whether what it pays with is kept
    ADD COLUMN page text NOT NULL DEFAULT 'hosted',
    ADD COLUMN save_method boolean NOT NULL DEFAULT false,
    -- what it is charged to while the client is away
    ADD COLUMN saved_method_id text,
    ADD CONSTRAINT page_is_one CHECK (page IN ('hosted', 'embedded')) NOT VALID;

CREATE OR REPLACE FUNCTION payments_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'pending' THEN
            RAISE EXCEPTION 'a payment begins as pending' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.app_id, NEW.client_id, NEW.idempotency_key, NEW.request_sha256,
        NEW.amount_minor, NEW.currency, NEW.capture, NEW.page, NEW.save_method,
        NEW.saved_method_id, NEW.psp, NEW.livemode, NEW.plan, NEW.product, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.app_id, OLD.client_id, OLD.idempotency_key, OLD.request_sha256,
        OLD.amount_minor, OLD.currency, OLD.capture, OLD.page, OLD.save_method,
        OLD.saved_method_id, OLD.psp, OLD.livemode, OLD.plan, OLD.product, OLD.created_at)
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

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
