-- migrate:up

-- behind a long reader this fails, instead of making everybody wait behind it: run it again
SET LOCAL lock_timeout = '2s';

-- What a client is asked to pay for a subscription: a period of it, or a change to another plan.
CREATE TABLE bills (
    id               text PRIMARY KEY CHECK (id ~ '^bil_[0-9a-z]+$'),
    app_id           text NOT NULL,
    client_id        text NOT NULL,
    subscription_id  text NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('period', 'change')),
    -- when what is paid for begins, if it is paid in time: when the bill is due
    due_at           timestamptz NOT NULL,
    plan             text NOT NULL,
    product          text NOT NULL,
    amount_minor     bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 999999999999),
    -- of a whole period of the plan, when the bill was opened: less is asked for a change
    price_minor      bigint NOT NULL CHECK (price_minor >= amount_minor),
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    livemode         boolean NOT NULL REFERENCES database_mode,
    status           text NOT NULL CHECK (status IN ('open', 'paid', 'void')),
    -- whether what the client let the app keep may be charged for it; else only the client can pay
    is_charged       boolean NOT NULL DEFAULT true,
    opened_at        timestamptz NOT NULL,
    closes_at        timestamptz NOT NULL,
    -- when somebody sees to it next; null: nobody needs to
    next_step_at     timestamptz,
    updated_at       timestamptz NOT NULL,
    UNIQUE (app_id, id),
    -- one bill, and so one charge, for one period
    CONSTRAINT one_bill_for_one_period UNIQUE (subscription_id, kind, due_at),
    FOREIGN KEY (app_id, client_id) REFERENCES clients,
    FOREIGN KEY (app_id, subscription_id) REFERENCES subscriptions (app_id, id),
    FOREIGN KEY (app_id, plan) REFERENCES plans (app_id, code),
    CONSTRAINT only_an_open_bill_is_seen_to CHECK (status = 'open' OR next_step_at IS NULL)
);
-- At most one at a time; also for find_open of storage/bills.py.
CREATE UNIQUE INDEX one_open_bill ON bills (subscription_id) WHERE status = 'open';
-- For claim_due of storage/bills.py: which bills does the timer see to now?
CREATE INDEX bills_due ON bills (next_step_at) WHERE next_step_at IS NOT NULL;

ALTER TABLE bills ENABLE ROW LEVEL SECURITY;
ALTER TABLE bills FORCE ROW LEVEL SECURITY;
CREATE POLICY of_app ON bills USING (is_app(app_id)) WITH CHECK (is_app(app_id));
CREATE POLICY of_client ON bills FOR SELECT USING (sees_app(app_id) AND sees_client(client_id));
GRANT SELECT, INSERT, UPDATE ON bills TO tollgate_service;

CREATE FUNCTION bills_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.app_id, NEW.client_id, NEW.subscription_id, NEW.kind, NEW.due_at, NEW.product,
        NEW.livemode)
       IS DISTINCT FROM
       (OLD.id, OLD.app_id, OLD.client_id, OLD.subscription_id, OLD.kind, OLD.due_at, OLD.product,
        OLD.livemode)
       OR (OLD.status <> 'void' AND (NEW.plan, NEW.amount_minor, NEW.price_minor, NEW.currency)
           IS DISTINCT FROM (OLD.plan, OLD.amount_minor, OLD.price_minor, OLD.currency))
    THEN
        RAISE EXCEPTION 'what a bill is for is fixed while it counts' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('open', 'paid'), ('open', 'void'), ('void', 'open'), ('void', 'paid'))
    THEN
        RAISE EXCEPTION 'a bill does not move from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER bills_guard BEFORE UPDATE ON bills FOR EACH ROW EXECUTE FUNCTION bills_guard();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
