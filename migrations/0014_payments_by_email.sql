-- migrate:up transaction:false

-- For list_by_email of storage/customers.py: what does this app hold of this person?
CREATE INDEX CONCURRENTLY payments_by_email ON payments (app_id, customer_email_index)
    WHERE customer_email_index IS NOT NULL;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
