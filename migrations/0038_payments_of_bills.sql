-- migrate:up

-- behind a long reader this fails, instead of making everybody wait behind it: run it again
SET LOCAL lock_timeout = '2s';

ALTER TABLE payments ADD COLUMN bill_id text; -- the bill that it is to pay
ALTER TABLE payments
    ADD CONSTRAINT payments_bill_of_app
        FOREIGN KEY (app_id, bill_id) REFERENCES bills (app_id, id) NOT VALID;

-- A bill is paid as it stands, while it is open, and by its own client.
CREATE FUNCTION payments_of_bills() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bill public.bills;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.bill_id IS DISTINCT FROM OLD.bill_id THEN
            RAISE EXCEPTION 'which bill a payment is to pay is fixed for life'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    SELECT * INTO bill FROM public.bills WHERE id = NEW.bill_id FOR UPDATE;
    IF (NEW.client_id, NEW.plan, NEW.amount_minor, NEW.currency)
       IS DISTINCT FROM (bill.client_id, bill.plan, bill.amount_minor, bill.currency)
       OR bill.status <> 'open'
    THEN
        RAISE EXCEPTION 'a payment of a bill is what that asks for'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_is_of_its_bill';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER payments_of_bills BEFORE INSERT ON payments
    FOR EACH ROW WHEN (NEW.bill_id IS NOT NULL) EXECUTE FUNCTION payments_of_bills();
CREATE TRIGGER payments_keep_their_bill BEFORE UPDATE OF bill_id ON payments
    FOR EACH ROW EXECUTE FUNCTION payments_of_bills();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
