-- migrate:up

-- link() reads the end of its chain. Its plan is kept by each connection: one that was made while the
-- table was small read all of it, and went on to while it grew, until statistics were gathered. A link
-- cost more with every link before it.
ALTER FUNCTION link(audit_log) SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
