-- migrate:up

-- behind a long reader this fails, instead of making everybody wait behind it: run it again
SET LOCAL lock_timeout = '2s';

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
GRANT UPDATE ON saved_methods TO tollgate_service; -- when it was last kept

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
