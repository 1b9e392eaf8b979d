-- migrate:up

CREATE TABLE payments (
    id                    text PRIMARY KEY CHECK (id ~ '^pay_[0-9a-z]+$'),
    app_id                text NOT NULL REFERENCES apps,
    client_id             text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 128),
    idempotency_key       text NOT NULL,
    amount_minor          bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 999999999999),
    amount_refunded_minor bigint NOT NULL DEFAULT 0,
    currency              text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status                text NOT NULL CHECK (status IN (
        'pending', 'requires_action', 'processing', 'authorized', 'succeeded', 'failed',
        'canceled', 'expired', 'partially_refunded', 'refunded', 'disputed', 'needs_review')),
    psp                   text NOT NULL,
    psp_reference         text,
    livemode              boolean NOT NULL REFERENCES database_mode,
    method                text,
    plan                  text,
    product               text,
    subscription_id       text,
    description           text,
    metadata              jsonb NOT NULL DEFAULT '{}',
    return_url            text,
    cancel_url            text,
    next_action           jsonb,
    failure               jsonb,
    version               integer NOT NULL DEFAULT 1,
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    expires_at            timestamptz NOT NULL,
    -- the PSP was last asked about it on somebody's behalf: one asker at a time
    asked_at              timestamptz,
    -- One charge for one key, for ever: the key's stored answer may expire, this does not.
    CONSTRAINT one_payment_per_idempotency_key UNIQUE (app_id, idempotency_key),
    CONSTRAINT one_payment_per_psp_reference UNIQUE (psp, psp_reference),
    CONSTRAINT refunded_within_amount CHECK (amount_refunded_minor BETWEEN 0 AND amount_minor),
    CONSTRAINT plan_comes_with_product CHECK ((plan IS NULL) = (product IS NULL)),
    FOREIGN KEY (app_id, plan) REFERENCES plans (app_id, code)
);

-- For find_under_way of storage/subscriptions.py: has this client a payment under way?
CREATE INDEX payments_open ON payments (app_id, client_id)
    WHERE status IN ('pending', 'requires_action', 'processing', 'authorized');

-- The edges of domain/payment.py, kept by the schema: whoever writes, no other move is possible.
CREATE TABLE payment_edges (
    from_status text NOT NULL,
    to_status   text NOT NULL,
    PRIMARY KEY (from_status, to_status)
);

INSERT INTO payment_edges (from_status, to_status)
SELECT from_status, to_status
FROM (VALUES
    ('pending', '{requires_action,processing,authorized,succeeded,needs_review,failed,canceled,expired}'),
    ('requires_action', '{processing,authorized,succeeded,needs_review,failed,canceled,expired}'),
    ('processing', '{requires_action,authorized,succeeded,needs_review,failed,canceled,expired}'),
    ('authorized', '{succeeded,needs_review,failed,canceled,expired}'),
    ('succeeded', '{partially_refunded,refunded,disputed}'),
    ('failed', '{succeeded,needs_review}'),
    ('canceled', '{succeeded,needs_review}'),
    ('expired', '{succeeded,needs_review}'),
    ('partially_refunded', '{refunded,disputed}'),
    ('refunded', '{succeeded,partially_refunded,disputed}'),
    ('disputed', '{succeeded,partially_refunded,refunded}'),
    ('needs_review', '{succeeded,canceled,refunded}')
) AS edges (from_status, reachable), unnest(reachable::text[]) AS to_status;

CREATE FUNCTION payments_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'pending' THEN
            RAISE EXCEPTION 'a payment begins as pending' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.app_id, NEW.client_id, NEW.idempotency_key, NEW.amount_minor, NEW.currency,
        NEW.psp, NEW.livemode, NEW.plan, NEW.product, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.app_id, OLD.client_id, OLD.idempotency_key, OLD.amount_minor, OLD.currency,
        OLD.psp, OLD.livemode, OLD.plan, OLD.product, OLD.created_at)
       OR (OLD.psp_reference IS NOT NULL AND NEW.psp_reference IS DISTINCT FROM OLD.psp_reference)
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
    RETURN NEW;
END
$$;

CREATE TRIGGER payments_guard BEFORE INSERT OR UPDATE ON payments
    FOR EACH ROW EXECUTE FUNCTION payments_guard();

-- The answer to a request, kept under its key. `answer_status` is null while it is in flight;
-- then `locked_until` says until when its holder may be believed to be alive.
CREATE TABLE idempotency_keys (
    app_id         text NOT NULL REFERENCES apps,
    key            text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_sha256 bytea NOT NULL CHECK (length(request_sha256) = 32),
    payment_id     text NOT NULL REFERENCES payments,
    locked_until   timestamptz NOT NULL,
    answer_status  integer,
    answer_body    bytea,
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (app_id, key),
    CONSTRAINT answer_is_whole CHECK ((answer_status IS NULL) = (answer_body IS NULL))
);

GRANT SELECT, INSERT, UPDATE ON payments, idempotency_keys TO tollgate_service;
GRANT SELECT ON payment_edges TO tollgate_service;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
