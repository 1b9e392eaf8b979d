-- migrate:up

-- behind a long reader this fails, instead of making everybody wait behind it: run it again
SET LOCAL lock_timeout = '2s';

-- until when the client had paid before its app came here: time without a payment. null: not imported
ALTER TABLE subscriptions ADD COLUMN imported_through timestamptz;

-- What lies behind a pause moves by as long as it lasted: domain/subscription.py does that with the
-- other dates.
CREATE FUNCTION imported_time_is_paused_too() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.imported_through :=
        OLD.imported_through + (least(OLD.resumes_at, NEW.updated_at) - OLD.paused_at);
    RETURN NEW;
END
$$;
CREATE TRIGGER imported_time_is_paused_too BEFORE UPDATE OF paused_at ON subscriptions
    FOR EACH ROW
    WHEN (OLD.paused_at IS DISTINCT FROM NEW.paused_at AND OLD.imported_through > OLD.paused_at
        AND NEW.updated_at > OLD.paused_at) -- else it has not begun, by a clock that runs late
    EXECUTE FUNCTION imported_time_is_paused_too();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
