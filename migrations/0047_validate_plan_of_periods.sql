-- migrate:up

SELECT set_config('tollgate.app_id', '*', true);
ALTER TABLE subscription_periods VALIDATE CONSTRAINT periods_plan_of_app;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
