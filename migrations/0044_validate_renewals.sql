-- migrate:up

SELECT set_config('tollgate.app_id', '*', true);
ALTER TABLE subscriptions
    VALIDATE CONSTRAINT status_is_one,
    VALIDATE CONSTRAINT a_pause_ends_after_it_began,
    VALIDATE CONSTRAINT currency_is_a_code,
    VALIDATE CONSTRAINT renew_hour_is_of_a_day,
    VALIDATE CONSTRAINT language_is_one,
    VALIDATE CONSTRAINT subscriber_is_sealed;
ALTER TABLE plans
    VALIDATE CONSTRAINT renewal_lead_is_short,
    VALIDATE CONSTRAINT dunning_ends,
    VALIDATE CONSTRAINT proration_is_one;
ALTER TABLE payments VALIDATE CONSTRAINT payments_bill_of_app;
ALTER TABLE subscription_periods VALIDATE CONSTRAINT worth_is_whole;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
