-- migrate:up

-- Which PSP takes a new payment, in which order, by currency and method: domain/routing.py.
ALTER TABLE apps ADD COLUMN routing jsonb NOT NULL DEFAULT '[]';
ALTER TABLE apps ADD CONSTRAINT routing_is_a_list CHECK (jsonb_typeof(routing) = 'array');

-- What a client paid with and let an app keep, by the PSP's names: worth nothing without our keys
-- at the PSP. One that is charged again while the client is away is named in that payment's row.
CREATE TABLE saved_methods (
    id                 text PRIMARY KEY CHECK (id ~ '^met_[0-9a-z]+$'),
    app_id             text NOT NULL REFERENCES apps,
    client_id          text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 128),
    psp                text NOT NULL,
    customer_reference text NOT NULL,
    method_reference   text NOT NULL,
    payment_id         text NOT NULL, -- that it was kept from
    created_at         timestamptz NOT NULL,
    UNIQUE (app_id, id),
    -- also for list_newest of storage/saved_methods.py
    UNIQUE (app_id, client_id, psp, method_reference),
    FOREIGN KEY (app_id, payment_id) REFERENCES payments (app_id, id)
);

-- The PSPs' other names of a payment: a capture, a charge. By these their events are matched
-- without asking the PSP; an event of anything else is none of ours.
CREATE TABLE psp_references (
    psp        text NOT NULL,
    reference  text NOT NULL CHECK (length(reference) BETWEEN 1 AND 255),
    app_id     text NOT NULL REFERENCES apps,
    payment_id text NOT NULL,
    PRIMARY KEY (psp, reference),
    FOREIGN KEY (app_id, payment_id) REFERENCES payments (app_id, id)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['saved_methods', 'psp_references']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY of_app ON %I USING (is_app(app_id)) WITH CHECK (is_app(app_id))', name);
    END LOOP;
END
$$;
GRANT SELECT, INSERT ON saved_methods, psp_references TO tollgate_service;

ALTER TABLE payments
    ADD COLUMN page text NOT NULL DEFAULT 'hosted',
    ADD COLUMN save_method boolean NOT NULL DEFAULT false,
    ADD COLUMN saved_method_id text,
    ADD CONSTRAINT page_is_one CHECK (page IN ('hosted', 'embedded')) NOT VALID,
    ADD CONSTRAINT payments_saved_method_of_app FOREIGN KEY (app_id, saved_method_id)
        REFERENCES saved_methods (app_id, id) NOT VALID;

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
