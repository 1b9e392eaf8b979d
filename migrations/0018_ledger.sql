-- migrate:up

-- The books: where money is, in double entries. `psp` is what a PSP holds for an app, `app` what we
-- owe the app, `fees` what the PSP kept, `disputes` what a client's bank holds. A posting is two
-- rows that sum to zero. Nobody writes here: the rows follow from the state of payments, refunds
-- and disputes, in the same statement, by the triggers below.
CREATE TABLE ledger_entries (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app_id         text NOT NULL,
    payment_id     text NOT NULL,
    kind           text NOT NULL CHECK (kind IN (
        'capture', 'fee', 'refund', 'refund_reversal', 'dispute', 'dispute_reversal')),
    -- the payment, refund or dispute that moved, and its version since then: each move posts once
    source_id      text NOT NULL,
    source_version integer NOT NULL,
    psp            text NOT NULL,
    account        text NOT NULL CHECK (account IN ('psp', 'app', 'fees', 'disputes')),
    amount_minor   bigint NOT NULL CHECK (amount_minor <> 0),
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    at             timestamptz NOT NULL,
    FOREIGN KEY (app_id, payment_id) REFERENCES payments (app_id, id),
    CONSTRAINT each_move_posts_once UNIQUE (kind, source_id, source_version, account)
);
-- For list_movements of storage/ledger.py: what moved between two instants?
CREATE INDEX ledger_entries_by_time ON ledger_entries (psp, at);
-- The same, for one payment.
CREATE INDEX ledger_entries_of_payment ON ledger_entries (payment_id);

ALTER TABLE ledger_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY of_app ON ledger_entries USING (is_app(app_id)) WITH CHECK (is_app(app_id));
GRANT SELECT ON ledger_entries TO tollgate_service;

CREATE FUNCTION ledger_entries_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'the ledger is only added to' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT FROM added GROUP BY kind, source_id, source_version
        HAVING sum(amount_minor) <> 0 OR count(*) <> 2 OR count(DISTINCT currency) <> 1)
    THEN
        RAISE EXCEPTION 'a posting is two entries that sum to zero'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'postings_sum_to_zero';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER ledger_entries_sum_to_zero AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_guard();
CREATE TRIGGER ledger_entries_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_guard();

-- Money goes from one account to another. With the rights of the tables' owner, because the
-- service itself may not write here; row-level security still holds for the caller's tenant.
CREATE FUNCTION post(
    kind text, app_id text, payment_id text, psp text, source_id text, source_version integer,
    from_account text, to_account text, amount_minor bigint, currency text, at timestamptz
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    INSERT INTO public.ledger_entries
        (kind, app_id, payment_id, psp, source_id, source_version, account, amount_minor, currency, at)
    VALUES
        (post.kind, post.app_id, post.payment_id, post.psp, post.source_id, post.source_version,
         post.from_account, -post.amount_minor, post.currency, post.at),
        (post.kind, post.app_id, post.payment_id, post.psp, post.source_id, post.source_version,
         post.to_account, post.amount_minor, post.currency, post.at);
END;
-- only by the triggers, which have the same owner
REVOKE EXECUTE ON FUNCTION post FROM PUBLIC;

CREATE FUNCTION payments_post() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.amount_captured_minor <> OLD.amount_captured_minor THEN
        PERFORM public.post('capture', NEW.app_id, NEW.id, NEW.psp, NEW.id, NEW.version,
                            'app', 'psp', NEW.amount_captured_minor, NEW.currency, NEW.updated_at);
    END IF;
    IF NEW.fee_minor <> 0 AND OLD.fee_minor IS NULL THEN
        PERFORM public.post('fee', NEW.app_id, NEW.id, NEW.psp, NEW.id, NEW.version,
                            'psp', 'fees', NEW.fee_minor, NEW.fee_currency, NEW.updated_at);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER payments_post AFTER UPDATE ON payments
    FOR EACH ROW WHEN (NEW.amount_captured_minor <> OLD.amount_captured_minor
                       OR (NEW.fee_minor IS NOT NULL AND OLD.fee_minor IS NULL))
    EXECUTE FUNCTION payments_post();

CREATE FUNCTION refunds_post() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    was_back boolean := TG_OP = 'UPDATE' AND OLD.status = 'succeeded';
BEGIN
    IF NEW.status = 'succeeded' AND NOT was_back THEN
        PERFORM public.post('refund', NEW.app_id, NEW.payment_id, NEW.psp, NEW.id, NEW.version,
                            'psp', 'app', NEW.amount_minor, NEW.currency, NEW.updated_at);
    ELSIF NEW.status <> 'succeeded' AND was_back THEN
        PERFORM public.post('refund_reversal', NEW.app_id, NEW.payment_id, NEW.psp, NEW.id,
                            NEW.version, 'app', 'psp', NEW.amount_minor, NEW.currency,
                            NEW.updated_at);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER refunds_post AFTER INSERT OR UPDATE ON refunds
    FOR EACH ROW EXECUTE FUNCTION refunds_post();

CREATE FUNCTION disputes_post() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    was_taken boolean := TG_OP = 'UPDATE' AND OLD.status IN ('open', 'lost');
BEGIN
    IF NEW.status IN ('open', 'lost') AND NOT was_taken THEN
        PERFORM public.post('dispute', NEW.app_id, NEW.payment_id, NEW.psp, NEW.id, NEW.version,
                            'psp', 'disputes', NEW.amount_minor, NEW.currency, NEW.updated_at);
    ELSIF NEW.status = 'won' AND was_taken THEN
        PERFORM public.post('dispute_reversal', NEW.app_id, NEW.payment_id, NEW.psp, NEW.id,
                            NEW.version, 'disputes', 'psp', NEW.amount_minor, NEW.currency,
                            NEW.updated_at);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER disputes_post AFTER INSERT OR UPDATE ON disputes
    FOR EACH ROW EXECUTE FUNCTION disputes_post();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
