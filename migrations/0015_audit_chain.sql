-- migrate:up

SELECT set_config('tollgate.app_id', '*', true);

-- The audit log is only ever added to, whoever writes, and a chain of hashes shows where a row was
-- changed or taken out all the same: by who may disable triggers, or who wrote to the disk. Only what
-- was cut off at the end is not seen here: for that, `tollgate audit verify` takes a head noted before.

CREATE FUNCTION is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: no % for anybody', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'check_violation';
END
$$;

-- A chain is one app's; '' is of the rows that are no app's.
CREATE TABLE audit_links (
    chain    text NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    audit_id bigint NOT NULL UNIQUE,
    hash     bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (chain, position)
);
ALTER TABLE audit_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_links FORCE ROW LEVEL SECURITY;
-- nullif: '' is also what is set for nobody
CREATE POLICY of_app ON audit_links
    USING (is_app(nullif(chain, ''))) WITH CHECK (is_app(nullif(chain, '')));
CREATE TRIGGER is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_links
    FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();

-- The hash of a row at its place behind another. What it covers is written as JSON, which tells null
-- from '' and one column's end from the next one's beginning, and knows no time zone and no style:
-- the instant is in microseconds since 1970.
CREATE FUNCTION audit_hash(previous bytea, "position" bigint, entry audit_log) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(previous || convert_to(jsonb_build_array(
    "position", (entry).id, (entry).app_id, (entry).actor, (entry).action, (entry).object_id,
    (entry).before, (entry).after, trunc(extract(epoch FROM (entry).at) * 1000000)
)::text, 'UTF8'));

-- Links the rows from this id on that have no link yet, each behind the last of its chain.
CREATE FUNCTION link_audit_rows(first_id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    entry public.audit_log;
    last  public.audit_links;
BEGIN
    FOR entry IN
        SELECT * FROM public.audit_log a
        WHERE a.id >= first_id
          AND NOT EXISTS (SELECT FROM public.audit_links l WHERE l.audit_id = a.id)
        ORDER BY coalesce(a.app_id, ''), a.id
    LOOP
        IF last.chain IS DISTINCT FROM coalesce(entry.app_id, '') THEN
            SELECT * INTO last FROM public.audit_links l
            WHERE l.chain = coalesce(entry.app_id, '') ORDER BY l.position DESC LIMIT 1;
            IF NOT FOUND THEN
                last.chain := coalesce(entry.app_id, '');
                last.position := 0;
                last.hash := pg_catalog.decode(pg_catalog.repeat('00', 32), 'hex');
            END IF;
        END IF;
        last.position := last.position + 1;
        last.audit_id := entry.id;
        last.hash := public.audit_hash(last.hash, last.position, entry);
        INSERT INTO public.audit_links VALUES (last.*);
    END LOOP;
END
$$;

-- Links the rows of the caller's transaction, of which this is the first: another transaction's rows
-- are seen together with their links or not at all, so what has no link is of this one. The wall
-- between apps holds for the owner too, and whose rows the transaction saw last says nothing of those
-- it wrote. The settings of the planner keep it to the few last rows, whatever is known of the tables.
CREATE FUNCTION link_transaction(first_id bigint) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_sort = off SET jit = off
AS $$
DECLARE
    app_id    text := coalesce(current_setting('tollgate.app_id', true), '');
    client_id text := coalesce(current_setting('tollgate.client_id', true), '');
BEGIN
    PERFORM set_config('tollgate.app_id', '*', true), set_config('tollgate.client_id', '', true);
    -- every chain's lock before the first link, always in one order: two that add to the same chains
    -- wait for each other, and don't deadlock
    PERFORM pg_advisory_xact_lock(hashtextextended('audit_links ' || unlinked.chain, 0))
    FROM (
        SELECT DISTINCT coalesce(a.app_id, '') AS chain FROM public.audit_log a
        WHERE a.id >= first_id
          AND NOT EXISTS (SELECT FROM public.audit_links l WHERE l.audit_id = a.id)
        ORDER BY 1
    ) unlinked;
    PERFORM public.link_audit_rows(first_id);
    PERFORM set_config('tollgate.app_id', app_id, true),
            set_config('tollgate.client_id', client_id, true);
END
$$;

-- The first of a transaction's rows links them all, so that the others find their links. As the owner,
-- because the service writes no links itself: its own could hold any hash.
CREATE FUNCTION link_audit_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.audit_links l WHERE l.audit_id = NEW.id) THEN
        PERFORM public.link_transaction(NEW.id);
    END IF;
    RETURN NULL;
END
$$;

-- GENERATED ALWAYS yields to OVERRIDING SYSTEM VALUE, which needs no right of its own: a row could be
-- written as if it were from before others. The service may not read the sequence, its owner may.
CREATE FUNCTION audit_log_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.id <> currval('public.audit_log_id_seq') THEN
        RAISE EXCEPTION 'a row of the audit log takes the next id' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

REVOKE EXECUTE ON FUNCTION link_audit_rows(bigint), link_transaction(bigint) FROM PUBLIC;
GRANT SELECT ON audit_links TO tollgate_service;

-- The rows that are there, in the order of their ids: while others go on writing, and then, with
-- the writers locked out for as long as it takes to look, those that they wrote meanwhile.
SELECT link_audit_rows(0);
ANALYZE audit_links;
LOCK TABLE audit_log IN SHARE ROW EXCLUSIVE MODE;
SELECT link_audit_rows(0);

ALTER TABLE audit_links ADD CONSTRAINT audit_links_audit_id_fkey
    FOREIGN KEY (audit_id) REFERENCES audit_log NOT VALID; -- 0021 looks at what is there
CREATE TRIGGER is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();
CREATE TRIGGER audit_log_guard BEFORE INSERT ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_guard();
-- At commit: the chain's lock is held no longer than that takes, and a transaction takes no lock
-- after it that somebody who waits for the chain could hold.
CREATE CONSTRAINT TRIGGER link_audit_row AFTER INSERT ON audit_log
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION link_audit_row();

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
