-- migrate:up

SELECT set_config('tollgate.app_id', '*', true);

-- What is personal, and what a PSP sent, is stored sealed (crypto/fields.py): its first byte is the
-- version of that form, so that nothing in the clear gets here by mistake. The columns are new, so
-- there is nothing to look at: NOT VALID spares the look.
ALTER TABLE payments
    -- {email, phone, name} as the app sent them
    ADD COLUMN customer bytea,
    -- a keyed hash of the email: equal emails of one app have equal ones
    ADD COLUMN customer_email_index bytea;
ALTER TABLE payments
    ADD CONSTRAINT customer_is_sealed CHECK (get_byte(customer, 0) = 1) NOT VALID,
    ADD CONSTRAINT email_index_is_one CHECK (length(customer_email_index) = 16) NOT VALID,
    ADD CONSTRAINT email_index_comes_with_customer
        CHECK (customer_email_index IS NULL OR customer IS NOT NULL) NOT VALID;

ALTER TABLE inbox
    ADD COLUMN app_id text REFERENCES apps,
    -- the event as it was sent, card numbers masked
    ADD COLUMN payload bytea;
ALTER TABLE inbox ADD CONSTRAINT payload_is_sealed CHECK (get_byte(payload, 0) = 1) NOT VALID;
-- an event that comes again is looked for among the rows of its payment's app
UPDATE inbox SET app_id = payments.app_id FROM payments WHERE payments.id = inbox.payment_id;
CREATE POLICY of_app ON inbox USING (is_app(app_id)) WITH CHECK (is_app(app_id));

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
