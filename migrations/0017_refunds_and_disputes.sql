-- migrate:up

-- Money that goes back. A refund reserves its amount from when it is asked for.
CREATE TABLE refunds (
    id              text PRIMARY KEY CHECK (id ~ '^ref_[0-9a-z]+$'),
    app_id          text NOT NULL,
    payment_id      text NOT NULL,
    psp             text NOT NULL,
    psp_reference   text,
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status          text NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
    reason          text,
    failure         jsonb,
    -- null where somebody made it in the PSP's own pages
    idempotency_key text,
    request_sha256  bytea,
    version         integer NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    UNIQUE (app_id, id),
    FOREIGN KEY (app_id, payment_id) REFERENCES payments (app_id, id),
    CONSTRAINT one_refund_per_idempotency_key UNIQUE (app_id, idempotency_key),
    CONSTRAINT one_refund_per_psp_reference UNIQUE (psp, psp_reference)
);
-- For list_of_payment of storage/refunds.py.
CREATE INDEX refunds_of_payment ON refunds (payment_id);

CREATE TABLE disputes (
    id            text PRIMARY KEY CHECK (id ~ '^dis_[0-9a-z]+$'),
    app_id        text NOT NULL,
    payment_id    text NOT NULL,
    psp           text NOT NULL,
    psp_reference text NOT NULL,
    amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status        text NOT NULL CHECK (status IN ('open', 'won', 'lost')),
    version       integer NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    FOREIGN KEY (app_id, payment_id) REFERENCES payments (app_id, id),
    CONSTRAINT one_dispute_per_psp_reference UNIQUE (psp, psp_reference)
);
-- For list_of_payment of storage/disputes.py.
CREATE INDEX disputes_of_payment ON disputes (payment_id);

ALTER TABLE refunds ENABLE ROW LEVEL SECURITY;
ALTER TABLE refunds FORCE ROW LEVEL SECURITY;
ALTER TABLE disputes ENABLE ROW LEVEL SECURITY;
ALTER TABLE disputes FORCE ROW LEVEL SECURITY;
CREATE POLICY of_app ON refunds USING (is_app(app_id)) WITH CHECK (is_app(app_id));
CREATE POLICY of_app ON disputes USING (is_app(app_id)) WITH CHECK (is_app(app_id));
-- whoever sees a payment sees what became of it
CREATE POLICY of_payment ON refunds FOR SELECT
    USING (EXISTS (SELECT FROM payments WHERE payments.id = payment_id));
CREATE POLICY of_payment ON disputes FOR SELECT
    USING (EXISTS (SELECT FROM payments WHERE payments.id = payment_id));

-- The edges of domain/refund.py; and no more is asked back than was taken, whoever asks at once.
CREATE FUNCTION refunds_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    payment public.payments;
    reserved bigint;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.app_id, NEW.payment_id, NEW.psp, NEW.amount_minor, NEW.currency,
            NEW.idempotency_key, NEW.request_sha256, NEW.created_at)
           IS DISTINCT FROM
           (OLD.id, OLD.app_id, OLD.payment_id, OLD.psp, OLD.amount_minor, OLD.currency,
            OLD.idempotency_key, OLD.request_sha256, OLD.created_at)
           OR (OLD.psp_reference IS NOT NULL AND NEW.psp_reference IS DISTINCT FROM OLD.psp_reference)
        THEN
            RAISE EXCEPTION 'what a refund is of is fixed for life' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
            ('pending', 'succeeded'), ('pending', 'failed'),
            ('succeeded', 'failed'), ('failed', 'succeeded'))
        THEN
            RAISE EXCEPTION 'a refund does not move from % to %', OLD.status, NEW.status
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    SELECT * INTO payment FROM public.payments WHERE id = NEW.payment_id FOR UPDATE;
    IF (NEW.psp, NEW.currency) IS DISTINCT FROM (payment.psp, payment.currency) THEN
        RAISE EXCEPTION 'a refund is in the currency of its payment'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_is_of_its_payment';
    END IF;
    IF NEW.idempotency_key IS NOT NULL THEN -- one that is asked for, not one that the PSP tells of
        SELECT coalesce(sum(amount_minor), 0) INTO reserved FROM public.refunds
        WHERE payment_id = NEW.payment_id AND status <> 'failed';
        IF NEW.status <> 'pending' OR payment.status NOT IN ('succeeded', 'partially_refunded')
           OR reserved + NEW.amount_minor > payment.amount_captured_minor
        THEN
            RAISE EXCEPTION 'no more goes back than was taken'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_within_captured';
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refunds_guard BEFORE INSERT OR UPDATE ON refunds
    FOR EACH ROW EXECUTE FUNCTION refunds_guard();

-- Every move between states is an edge (domain/dispute.py); what it is of does not move.
CREATE FUNCTION disputes_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.app_id, NEW.payment_id, NEW.psp, NEW.psp_reference, NEW.amount_minor,
        NEW.currency, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.app_id, OLD.payment_id, OLD.psp, OLD.psp_reference, OLD.amount_minor,
        OLD.currency, OLD.created_at)
    THEN
        RAISE EXCEPTION 'what a dispute is of is fixed for life' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER disputes_guard BEFORE UPDATE ON disputes
    FOR EACH ROW EXECUTE FUNCTION disputes_guard();

-- What a payment says went back is what its refunds say, at every commit.
CREATE FUNCTION refunds_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject text := CASE TG_TABLE_NAME WHEN 'payments' THEN NEW.id ELSE to_jsonb(NEW) ->> 'payment_id' END;
    app_id  text := coalesce(current_setting('tollgate.app_id', true), '');
BEGIN
    -- whose rows the transaction saw last says nothing of those it wrote
    PERFORM set_config('tollgate.app_id', '*', true);
    IF EXISTS (
        SELECT FROM public.payments p
        WHERE p.id = subject AND p.amount_refunded_minor <> (
            SELECT coalesce(sum(r.amount_minor), 0) FROM public.refunds r
            WHERE r.payment_id = p.id AND r.status = 'succeeded'))
    THEN
        RAISE EXCEPTION 'the refunds of % do not add up to what it says', subject
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refunds_add_up';
    END IF;
    PERFORM set_config('tollgate.app_id', app_id, true);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER refunds_add_up AFTER INSERT OR UPDATE OF status ON refunds
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refunds_add_up();
CREATE CONSTRAINT TRIGGER refunds_add_up AFTER UPDATE OF amount_refunded_minor ON payments
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.amount_refunded_minor <> OLD.amount_refunded_minor)
    EXECUTE FUNCTION refunds_add_up();

-- a key may be that of a refund; payment_id is then the refund's payment
ALTER TABLE idempotency_keys ADD COLUMN refund_id text;
ALTER TABLE idempotency_keys ADD CONSTRAINT idempotency_keys_refund_of_app
    FOREIGN KEY (app_id, refund_id) REFERENCES refunds (app_id, id) NOT VALID;

-- What becomes of access: the plan's rule, the periods that are not paid for any more, and the
-- subscription that ended by it.
ALTER TABLE plans ADD COLUMN refund_rule text NOT NULL DEFAULT 'end_now'
    CHECK (refund_rule IN ('end_now', 'period_end', 'never'));
ALTER TABLE subscriptions ADD COLUMN ended_by text CHECK (ended_by IN ('refunded', 'disputed'));
ALTER TABLE subscription_periods
    ADD COLUMN reversal jsonb, -- {reason, rule, rest_seconds}
    DROP CONSTRAINT subscription_periods_check,
    ADD CONSTRAINT periods_run_forward
        CHECK (starts_at < ends_at OR (starts_at = ends_at AND reversal IS NOT NULL)) NOT VALID;

GRANT SELECT, INSERT, UPDATE ON refunds, disputes TO tollgate_service;
GRANT UPDATE ON subscription_periods TO tollgate_service;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
