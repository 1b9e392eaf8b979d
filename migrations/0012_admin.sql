-- migrate:up

SELECT set_config('tollgate.app_id', '*', true); -- row-level security holds for the owner too

ALTER TABLE apps
    ADD COLUMN calls_per_minute integer NOT NULL DEFAULT 600
        CHECK (calls_per_minute BETWEEN 1 AND 1000000),
    -- its keys are refused from then on; what it took and granted stays
    ADD COLUMN deleted_at timestamptz;

ALTER TABLE api_keys
    -- what the key is for; two of a name may live, so that one can take over from the other
    ADD COLUMN name text NOT NULL DEFAULT 'default' CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    ADD COLUMN slot smallint NOT NULL DEFAULT 1 CHECK (slot IN (1, 2)),
    -- null: everything that its role may
    ADD COLUMN scopes text[],
    ADD COLUMN calls_per_minute integer NOT NULL DEFAULT 600
        CHECK (calls_per_minute BETWEEN 1 AND 1000000),
    ADD COLUMN last_used_at timestamptz;
UPDATE api_keys SET name = id; -- from before keys had names
CREATE UNIQUE INDEX two_living_keys_of_a_name ON api_keys (coalesce(app_id, ''), name, slot)
    WHERE revoked_at IS NULL;

CREATE FUNCTION api_keys_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.role, NEW.app_id, NEW.livemode, NEW.secret_sha256, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.role, OLD.app_id, OLD.livemode, OLD.secret_sha256, OLD.created_at)
       OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
    THEN
        RAISE EXCEPTION 'whose a key is, is fixed for life, and so is its end'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER api_keys_guard BEFORE UPDATE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION api_keys_guard();

-- nobody can choose it or pay for it any more; what was paid for stays
ALTER TABLE plans ADD COLUMN archived_at timestamptz;

CREATE FUNCTION plans_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.app_id, NEW.code, NEW.product, NEW.interval_unit, NEW.interval_count, NEW.created_at)
       IS DISTINCT FROM
       (OLD.app_id, OLD.code, OLD.product, OLD.interval_unit, OLD.interval_count, OLD.created_at)
    THEN
        RAISE EXCEPTION 'what a plan sells is fixed for life: it may be paid for already'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER plans_guard BEFORE UPDATE ON plans
    FOR EACH ROW EXECUTE FUNCTION plans_guard();

-- How often a key or an app called, for calls that move money while Redis is gone. Worth no disk.
CREATE UNLOGGED TABLE rate_buckets (
    name    text PRIMARY KEY,
    full_at timestamptz NOT NULL
);
ALTER TABLE rate_buckets ENABLE ROW LEVEL SECURITY;
ALTER TABLE rate_buckets FORCE ROW LEVEL SECURITY;
CREATE POLICY of_operator ON rate_buckets USING (is_operator()) WITH CHECK (is_operator());

GRANT INSERT, UPDATE ON apps, api_keys, plans TO tollgate_service;
GRANT INSERT, UPDATE, DELETE ON plan_prices TO tollgate_service;
GRANT SELECT, INSERT ON database_mode TO tollgate_service;
GRANT SELECT, INSERT, UPDATE ON rate_buckets TO tollgate_service;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
