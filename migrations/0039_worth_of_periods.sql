-- migrate:up

-- behind a long reader this fails, instead of making everybody wait behind it: run it again
SET LOCAL lock_timeout = '2s';

-- What the rest of a period is worth when its client changes plans: `worth_minor` for each
-- `worth_seconds`, in the currency of its payment. null in rows from before: what was paid, for all of it.
ALTER TABLE subscription_periods
    ADD COLUMN worth_minor bigint,
    ADD COLUMN worth_seconds bigint;
ALTER TABLE subscription_periods
    ADD CONSTRAINT worth_is_whole CHECK (
        (worth_minor IS NULL) = (worth_seconds IS NULL) AND worth_minor > 0 AND worth_seconds > 0)
        NOT VALID;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
