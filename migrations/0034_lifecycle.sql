-- migrate:up

-- behind a long reader this fails, instead of making everybody wait behind it: run it again
SET LOCAL lock_timeout = '2s';

ALTER TABLE subscriptions
    -- as it was last told: access follows from the dates alone. null: not looked at since this column
    ADD COLUMN status text,
    -- when the status turns by itself, and when the next bill opens; null: never, as things stand
    ADD COLUMN turns_at timestamptz DEFAULT now(),
    ADD COLUMN bill_opens_at timestamptz,
    -- when a pause ends by itself
    ADD COLUMN resumes_at timestamptz,
    -- in what it is billed; null: the app's default
    ADD COLUMN currency text,
    -- how the client is asked to pay: by a prompt of this method, at this hour there; in this language
    ADD COLUMN renew_method text,
    ADD COLUMN renew_hour integer NOT NULL DEFAULT 9,
    ADD COLUMN time_zone text NOT NULL DEFAULT 'Africa/Nairobi',
    ADD COLUMN language text NOT NULL DEFAULT 'en',
    -- {email, phone, name}, sealed like that of a payment
    ADD COLUMN customer bytea;
ALTER TABLE subscriptions
    ADD CONSTRAINT status_is_one CHECK (status IN (
        'incomplete', 'trialing', 'active', 'past_due', 'paused', 'canceled', 'expired')) NOT VALID,
    ADD CONSTRAINT a_pause_ends_after_it_began
        CHECK (resumes_at IS NULL OR (paused_at IS NOT NULL AND resumes_at > paused_at)) NOT VALID,
    ADD CONSTRAINT currency_is_a_code CHECK (currency ~ '^[A-Z]{3}$') NOT VALID,
    ADD CONSTRAINT renew_hour_is_of_a_day CHECK (renew_hour BETWEEN 0 AND 23) NOT VALID,
    ADD CONSTRAINT language_is_one CHECK (language IN ('en', 'sw')) NOT VALID,
    ADD CONSTRAINT subscriber_is_sealed CHECK (get_byte(customer, 0) = 1) NOT VALID;

-- The edges of domain/subscription.py, kept by the schema: whoever writes, no other move is possible.
-- A function where payments have a table: the condition of a trigger can ask it, for every row of a
-- sweep, and no trigger is called.
CREATE FUNCTION subscription_may_move(before text, after text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN before = after OR CASE before
    WHEN 'incomplete' THEN after IN ('active', 'canceled', 'expired')
    WHEN 'trialing' THEN after IN ('active', 'paused', 'canceled', 'expired')
    WHEN 'active' THEN after IN ('trialing', 'past_due', 'paused', 'canceled', 'expired')
    WHEN 'past_due' THEN after IN ('active', 'paused', 'canceled', 'expired')
    WHEN 'paused' THEN after IN ('trialing', 'active', 'past_due', 'canceled', 'expired')
    WHEN 'canceled' THEN after IN (
        'incomplete', 'trialing', 'active', 'past_due', 'paused', 'expired')
    WHEN 'expired' THEN after IN ('trialing', 'active', 'past_due', 'paused', 'canceled')
END;

-- A subscription's own clock: it stands while that is paused, and runs late by each pause that is over.
CREATE FUNCTION subscription_clock(s subscriptions, now timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN (s).paused_at IS NULL OR now < (s).paused_at THEN now
    WHEN (s).resumes_at <= now THEN now - ((s).resumes_at - (s).paused_at)
    ELSE (s).paused_at
END;

-- What domain/subscription.py makes of the same dates; a test holds the two together.
CREATE FUNCTION subscription_status(s subscriptions, now timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN (s).cancel_at <= public.subscription_clock(s, now) THEN 'canceled'
    WHEN (s).paused_at <= now AND ((s).resumes_at IS NULL OR now < (s).resumes_at) THEN 'paused'
    WHEN public.subscription_clock(s, now) < (s).paid_through THEN 'active'
    WHEN public.subscription_clock(s, now) < (s).trial_end THEN 'trialing'
    WHEN public.subscription_clock(s, now) < (s).grace_until THEN 'past_due'
    WHEN coalesce((s).paid_through, (s).trial_end) IS NULL AND (s).ended_by IS NULL THEN 'incomplete'
    ELSE 'expired'
END;

-- The next instant at which that may turn.
CREATE FUNCTION subscription_turns_at(s subscriptions, now timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN (s).ended_at IS NOT NULL OR (s).cancel_at <= public.subscription_clock(s, now) THEN NULL
    WHEN (s).paused_at <= now AND ((s).resumes_at IS NULL OR now < (s).resumes_at)
        THEN (s).resumes_at
    ELSE now - public.subscription_clock(s, now) + least(
        CASE WHEN (s).trial_end > public.subscription_clock(s, now) THEN (s).trial_end END,
        CASE WHEN (s).paid_through > public.subscription_clock(s, now) THEN (s).paid_through END,
        CASE WHEN (s).grace_until > public.subscription_clock(s, now) THEN (s).grace_until END,
        CASE WHEN (s).paused_at > now THEN (s).paused_at END,
        CASE WHEN (s).cancel_at > public.subscription_clock(s, now) THEN (s).cancel_at END)
END;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
