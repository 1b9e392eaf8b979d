-- migrate:up

-- behind a long reader this fails, instead of making everybody wait behind it: run it again
SET LOCAL lock_timeout = '2s';

-- When the next bill opens: ahead of the end of what is paid for or free, unless nothing more is wanted.
CREATE FUNCTION subscription_bill_opens_at(s subscriptions) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN CASE
    WHEN coalesce((s).ended_at, (s).cancel_at, (s).paused_at) IS NULL AND (s).ended_by IS NULL
    THEN greatest((s).trial_end, (s).paid_through) - make_interval(hours => 24 * (
        SELECT renewal_lead_days FROM public.plans
        WHERE plans.app_id = (s).app_id AND plans.code = (s).plan))
END;

-- What follows from the dates follows from them whoever writes them.
CREATE FUNCTION subscriptions_follow_dates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.status := public.subscription_status(NEW, NEW.updated_at);
    NEW.turns_at := public.subscription_turns_at(NEW, NEW.updated_at);
    IF TG_OP = 'UPDATE' AND NEW.status <> OLD.status
       AND NEW.status = public.subscription_status(OLD, NEW.updated_at)
    THEN -- the clock did that, not this change: the timer tells it
        NEW.status := OLD.status;
        NEW.turns_at := NEW.updated_at;
    END IF;
    IF TG_OP = 'INSERT'
       OR OLD.status IS NULL -- from before, and written before the timer came to it
       OR (NEW.trial_end, NEW.paid_through, NEW.paused_at, NEW.cancel_at, NEW.ended_by, NEW.ended_at)
          IS DISTINCT FROM
          (OLD.trial_end, OLD.paid_through, OLD.paused_at, OLD.cancel_at, OLD.ended_by, OLD.ended_at)
    THEN
        NEW.bill_opens_at := public.subscription_bill_opens_at(NEW);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER subscriptions_follow_dates
    BEFORE INSERT OR UPDATE OF trial_end, paid_through, grace_until, paused_at, resumes_at, cancel_at,
        ended_by, ended_at ON subscriptions
    FOR EACH ROW EXECUTE FUNCTION subscriptions_follow_dates();
-- not before: what is made between the two migrations is looked at, too
ALTER TABLE subscriptions ALTER COLUMN turns_at DROP DEFAULT;

CREATE FUNCTION subscriptions_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.app_id, NEW.client_id, NEW.product, NEW.livemode, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.app_id, OLD.client_id, OLD.product, OLD.livemode, OLD.created_at)
    THEN
        RAISE EXCEPTION 'what a subscription is of is fixed for life' USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'a subscription does not move from % to %', OLD.status, NEW.status
        USING ERRCODE = 'check_violation';
END
$$;
-- after subscriptions_follow_dates, by its name
CREATE TRIGGER subscriptions_guard BEFORE UPDATE ON subscriptions
    FOR EACH ROW
    WHEN (NOT subscription_may_move(OLD.status, NEW.status)
        OR (NEW.id, NEW.app_id, NEW.client_id, NEW.product, NEW.livemode, NEW.created_at)
           IS DISTINCT FROM
           (OLD.id, OLD.app_id, OLD.client_id, OLD.product, OLD.livemode, OLD.created_at))
    EXECUTE FUNCTION subscriptions_guard();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
