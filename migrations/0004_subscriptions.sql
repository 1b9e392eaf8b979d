-- migrate:up

CREATE EXTENSION IF NOT EXISTS btree_gist; -- trusted: the database's owner may

-- One row a client of an app. Whoever changes the client's subscriptions locks this row first and
-- raises `version`: it orders the changes, and the cache believes only the highest.
CREATE TABLE clients (
    app_id     text NOT NULL REFERENCES apps,
    client_id  text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 128),
    version    bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (app_id, client_id)
);

CREATE TABLE subscriptions (
    id                   text PRIMARY KEY CHECK (id ~ '^sub_[0-9a-z]+$'),
    app_id               text NOT NULL,
    client_id            text NOT NULL,
    product              text NOT NULL,
    plan                 text NOT NULL,
    -- another plan: in force from next_plan_at, where it is paid for; else only chosen
    next_plan            text,
    next_plan_at         timestamptz,
    livemode             boolean NOT NULL REFERENCES database_mode,
    anchor_at            timestamptz,
    periods_since_anchor integer NOT NULL DEFAULT 0 CHECK (periods_since_anchor >= 0),
    trial_end            timestamptz,
    paid_through         timestamptz,
    grace_until          timestamptz,
    paused_at            timestamptz,
    cancel_at            timestamptz,
    -- set when another one takes its place; only those without it are looked at
    ended_at             timestamptz,
    version              integer NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    FOREIGN KEY (app_id, client_id) REFERENCES clients,
    FOREIGN KEY (app_id, plan) REFERENCES plans (app_id, code),
    FOREIGN KEY (app_id, next_plan) REFERENCES plans (app_id, code),
    CONSTRAINT grace_follows_paid_time CHECK (
        (paid_through IS NULL) = (grace_until IS NULL) AND grace_until >= paid_through)
);

-- At most one live subscription per client and product; also how read_access finds them.
CREATE UNIQUE INDEX subscriptions_live ON subscriptions (app_id, client_id, product)
    WHERE ended_at IS NULL;

-- Time that was paid for. A payment gives one period, and no instant is given twice.
CREATE TABLE subscription_periods (
    payment_id      text PRIMARY KEY REFERENCES payments,
    subscription_id text NOT NULL REFERENCES subscriptions,
    app_id          text NOT NULL REFERENCES apps,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    CHECK (starts_at < ends_at),
    CONSTRAINT no_instant_is_given_twice EXCLUDE USING gist
        (subscription_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
);

ALTER TABLE payments ADD FOREIGN KEY (subscription_id) REFERENCES subscriptions;

GRANT SELECT, INSERT, UPDATE ON clients, subscriptions TO tollgate_service;
GRANT SELECT, INSERT ON subscription_periods TO tollgate_service;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
