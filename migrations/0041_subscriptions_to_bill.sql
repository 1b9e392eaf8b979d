-- migrate:up transaction:false

-- For claim_unbilled of storage/bills.py: whose bills open by now?
CREATE INDEX CONCURRENTLY subscriptions_to_bill ON subscriptions (bill_opens_at)
    WHERE bill_opens_at IS NOT NULL;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
