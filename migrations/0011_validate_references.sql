-- migrate:up

-- What nobody may see can't be looked at either.
SELECT set_config('tollgate.app_id', '*', true);
ALTER TABLE payments VALIDATE CONSTRAINT payments_subscription_of_app;
ALTER TABLE idempotency_keys VALIDATE CONSTRAINT idempotency_keys_payment_of_app;
ALTER TABLE subscription_periods VALIDATE CONSTRAINT periods_payment_of_app;
ALTER TABLE subscription_periods VALIDATE CONSTRAINT periods_subscription_of_app;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
