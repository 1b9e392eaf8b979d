-- migrate:up

-- What is personal, and what a PSP sent, is stored sealed (crypto/fields.py): its first byte is the
-- version of that form, so that nothing in the clear gets here by mistake.
ALTER TABLE payments
    -- {email, phone, name} as the app sent them
    ADD COLUMN customer bytea CHECK (get_byte(customer, 0) = 1),
    -- a keyed hash of the email: equal emails of one app have equal ones
    ADD COLUMN customer_email_index bytea CHECK (length(customer_email_index) = 16),
    ADD CONSTRAINT index_comes_with_customer
        CHECK (customer_email_index IS NULL OR customer IS NOT NULL);

-- For list_by_email of storage/customers.py: what does this app hold of this person?
CREATE INDEX payments_by_email ON payments (app_id, customer_email_index)
    WHERE customer_email_index IS NOT NULL;

ALTER TABLE inbox
    ADD COLUMN app_id text REFERENCES apps,
    -- the event as it was sent, card numbers masked
    ADD COLUMN payload bytea CHECK (get_byte(payload, 0) = 1);
CREATE POLICY of_app ON inbox USING (is_app(app_id)) WITH CHECK (is_app(app_id));

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
