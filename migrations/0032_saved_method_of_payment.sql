-- migrate:up

-- behind a long reader this fails, instead of making everybody wait behind it: run it again
SET LOCAL lock_timeout = '2s';

-- Alone: with the tables of 0031 it would hold locks that a payment being settled waits for.
ALTER TABLE payments
    ADD CONSTRAINT payments_saved_method_of_app FOREIGN KEY (app_id, saved_method_id)
        REFERENCES saved_methods (app_id, id) NOT VALID;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
