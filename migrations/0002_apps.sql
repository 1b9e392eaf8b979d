-- migrate:up

-- A database holds test data or live data, never both: every row that has a mode refers to this one,
-- which the first key that is made puts there for good.
CREATE TABLE database_mode (
    livemode boolean PRIMARY KEY
);
CREATE UNIQUE INDEX database_mode_is_one ON database_mode ((true));

-- An app is a tenant. Everything else belongs to one.
CREATE TABLE apps (
    id               text PRIMARY KEY CHECK (id ~ '^app_[0-9a-z]+$'),
    name             text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    default_currency text NOT NULL CHECK (default_currency ~ '^[A-Z]{3}$'),
    default_psp      text NOT NULL,
    -- origins (https://shop.example) that a payment may send the client back to
    return_origins   text[] NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL
);

-- The secret of a key is never stored, only its SHA-256: 256 random bits need no slow hash.
CREATE TABLE api_keys (
    id            text PRIMARY KEY CHECK (id ~ '^[0-9a-z]{16}$'),
    role          text NOT NULL CHECK (role IN ('admin', 'app')),
    app_id        text REFERENCES apps,
    livemode      boolean NOT NULL REFERENCES database_mode,
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz,
    revoked_at    timestamptz,
    CONSTRAINT app_keys_name_their_app CHECK ((role = 'app') = (app_id IS NOT NULL))
);

CREATE TABLE plans (
    app_id         text NOT NULL REFERENCES apps,
    code           text NOT NULL CHECK (code ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    product        text NOT NULL CHECK (product ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    interval_unit  text NOT NULL CHECK (interval_unit IN ('day', 'week', 'month', 'year')),
    interval_count integer NOT NULL CHECK (interval_count BETWEEN 1 AND 366),
    trial_days     integer NOT NULL DEFAULT 0 CHECK (trial_days BETWEEN 0 AND 366),
    grace_days     integer NOT NULL DEFAULT 0 CHECK (grace_days BETWEEN 0 AND 366),
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (app_id, code)
);

CREATE TABLE plan_prices (
    app_id       text NOT NULL,
    plan         text NOT NULL,
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 999999999999),
    PRIMARY KEY (app_id, plan, currency),
    FOREIGN KEY (app_id, plan) REFERENCES plans (app_id, code)
);

GRANT SELECT ON apps, api_keys, plans, plan_prices TO tollgate_service;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
