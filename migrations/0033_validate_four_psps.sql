-- migrate:up

SELECT set_config('tollgate.app_id', '*', true);
ALTER TABLE payments
    VALIDATE CONSTRAINT page_is_one,
    VALIDATE CONSTRAINT payments_saved_method_of_app;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
