-- migrate:up

-- The wall between apps. A statement sees the rows of the tenant that storage/database.py sets for
-- it: one app, one client of an app (to read), or '*': operators, and what must be found before it
-- is known whose it is. Where nothing is set nothing is seen, also by the owner of the tables.

CREATE FUNCTION sees_app(row_app_id text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN current_setting('tollgate.app_id', true) IN (row_app_id, '*');

CREATE FUNCTION sees_client(row_client_id text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(current_setting('tollgate.client_id', true), '') IN ('', row_client_id);

-- A client reads and no more.
CREATE FUNCTION is_app(row_app_id text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN sees_app(row_app_id) AND coalesce(current_setting('tollgate.client_id', true), '') = '';

CREATE FUNCTION is_operator() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN is_app(NULL);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'apps', 'api_keys', 'plans', 'plan_prices', 'payments', 'idempotency_keys', 'clients',
        'subscriptions', 'subscription_periods', 'inbox', 'outbox', 'audit_log']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END LOOP;
    -- what an app works with
    FOREACH name IN ARRAY ARRAY[
        'payments', 'idempotency_keys', 'clients', 'subscriptions', 'subscription_periods',
        'outbox', 'audit_log']
    LOOP
        EXECUTE format('CREATE POLICY of_app ON %I USING (is_app(app_id)) WITH CHECK (is_app(app_id))', name);
    END LOOP;
    -- what a client may read of it
    FOREACH name IN ARRAY ARRAY['payments', 'clients', 'subscriptions']
    LOOP
        EXECUTE format('CREATE POLICY of_client ON %I FOR SELECT USING (sees_app(app_id) AND sees_client(client_id))', name);
    END LOOP;
    -- what operators set up
    FOREACH name IN ARRAY ARRAY['apps', 'api_keys', 'plans', 'plan_prices', 'inbox']
    LOOP
        EXECUTE format('CREATE POLICY of_operator ON %I USING (is_operator()) WITH CHECK (is_operator())', name);
    END LOOP;
END
$$;

CREATE POLICY of_app ON apps FOR SELECT USING (is_app(id));
CREATE POLICY of_app ON plans FOR SELECT USING (is_app(app_id));
CREATE POLICY of_app ON plan_prices FOR SELECT USING (is_app(app_id));

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
