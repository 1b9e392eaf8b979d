-- migrate:up

-- What PSPs told us, each event once. `processed_at` is null until its payment was settled.
CREATE TABLE inbox (
    psp           text NOT NULL,
    event_id      text NOT NULL,
    type          text NOT NULL,
    payment_id    text,
    psp_reference text,
    received_at   timestamptz NOT NULL,
    processed_at  timestamptz,
    PRIMARY KEY (psp, event_id)
);

-- What the apps are to be told, written with the change it tells of.
CREATE TABLE outbox (
    id           text PRIMARY KEY CHECK (id ~ '^evt_[0-9a-z]+$'),
    app_id       text NOT NULL REFERENCES apps,
    type         text NOT NULL,
    aggregate_id text NOT NULL,
    -- counts per aggregate, so that an app can tell the order
    sequence     bigint NOT NULL,
    data         jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    UNIQUE (aggregate_id, sequence)
);

-- Who changed what, in the transaction of the change. The service can add to it and no more.
CREATE TABLE audit_log (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app_id    text REFERENCES apps,
    actor     text NOT NULL,
    action    text NOT NULL,
    object_id text NOT NULL,
    before    jsonb,
    after     jsonb,
    at        timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON inbox TO tollgate_service;
GRANT SELECT, INSERT ON outbox, audit_log TO tollgate_service;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
