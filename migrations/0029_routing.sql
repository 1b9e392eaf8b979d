-- migrate:up

-- behind a long reader this fails, instead of making everybody wait behind it: run it again
SET LOCAL lock_timeout = '2s';

-- Which PSP takes a new payment, in which order, by currency and method: domain/routing.py.
ALTER TABLE apps ADD COLUMN routing jsonb NOT NULL DEFAULT '[]';
ALTER TABLE apps ADD CONSTRAINT routing_is_a_list CHECK (jsonb_typeof(routing) = 'array');

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
