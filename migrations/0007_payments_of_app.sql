-- migrate:up transaction:false

-- For the references of 0010, which hold the app's id. Alone, because it must not lock the table.
CREATE UNIQUE INDEX CONCURRENTLY payments_of_app ON payments (app_id, id);

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
