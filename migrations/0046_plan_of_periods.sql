-- migrate:up

-- behind a long reader this fails, instead of making everybody wait behind it: run it again
SET LOCAL lock_timeout = '2s';

-- The plan whose time a period holds since its client changed plans. null: its payment's
ALTER TABLE subscription_periods ADD COLUMN plan text;
ALTER TABLE subscription_periods
    ADD CONSTRAINT periods_plan_of_app
        FOREIGN KEY (app_id, plan) REFERENCES plans (app_id, code) NOT VALID;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
