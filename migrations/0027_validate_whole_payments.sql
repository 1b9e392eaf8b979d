-- migrate:up

SELECT set_config('tollgate.app_id', '*', true);
ALTER TABLE payments
    VALIDATE CONSTRAINT capture_is_one,
    VALIDATE CONSTRAINT captured_within_amount,
    VALIDATE CONSTRAINT capture_within_amount,
    VALIDATE CONSTRAINT refunded_within_captured,
    VALIDATE CONSTRAINT fee_has_a_currency,
    VALIDATE CONSTRAINT state_says_what_was_taken,
    VALIDATE CONSTRAINT state_says_what_went_back;
ALTER TABLE idempotency_keys VALIDATE CONSTRAINT idempotency_keys_refund_of_app;
ALTER TABLE subscription_periods VALIDATE CONSTRAINT periods_run_forward;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
