-- migrate:up

-- Rows that belong together belong to one app: the references say so too. They hold for what is
-- written from now on; 0011 looks at what is there, which takes longer than a lock may.
ALTER TABLE payments ADD CONSTRAINT payments_of_app UNIQUE USING INDEX payments_of_app;
ALTER TABLE subscriptions
    ADD CONSTRAINT subscriptions_of_app UNIQUE USING INDEX subscriptions_of_app;
ALTER TABLE payments
    DROP CONSTRAINT payments_subscription_id_fkey,
    ADD CONSTRAINT payments_subscription_of_app
        FOREIGN KEY (app_id, subscription_id) REFERENCES subscriptions (app_id, id) NOT VALID;
ALTER TABLE idempotency_keys
    DROP CONSTRAINT idempotency_keys_payment_id_fkey,
    ADD CONSTRAINT idempotency_keys_payment_of_app
        FOREIGN KEY (app_id, payment_id) REFERENCES payments (app_id, id) NOT VALID;
ALTER TABLE subscription_periods
    DROP CONSTRAINT subscription_periods_payment_id_fkey,
    DROP CONSTRAINT subscription_periods_subscription_id_fkey,
    ADD CONSTRAINT periods_payment_of_app
        FOREIGN KEY (app_id, payment_id) REFERENCES payments (app_id, id) NOT VALID,
    ADD CONSTRAINT periods_subscription_of_app
        FOREIGN KEY (app_id, subscription_id) REFERENCES subscriptions (app_id, id) NOT VALID;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
