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

-- Links a row behind the last of its chain.
CREATE FUNCTION link(entry audit_log) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    -- a variable: compared with an expression, no index is used under row-level security
    chain_of_it text := coalesce(entry.app_id, '');
    last public.audit_links;
BEGIN
    SELECT * INTO last FROM public.audit_links
    WHERE chain = chain_of_it ORDER BY position DESC LIMIT 1;
    last.chain := chain_of_it;
    last.position := coalesce(last.position, 0) + 1;
    last.hash := public.audit_hash(
        coalesce(last.hash, '\x0000000000000000000000000000000000000000000000000000000000000000'),
        last.position, entry);
    last.audit_id := entry.id;
    INSERT INTO public.audit_links VALUES (last.*);
END
$$;

-- At commit. As the owner, because the service writes no links itself: its own could hold any hash.
-- A transaction that adds to several chains locks them all before its first link, always in one order:
-- two of them wait for each other and don't deadlock. The wall between apps holds for the owner too, and
-- whose rows the transaction saw last says nothing of those it wrote.
CREATE FUNCTION link_audit_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    app_id    text := coalesce(current_setting('tollgate.app_id', true), '');
    client_id text := coalesce(current_setting('tollgate.client_id', true), '');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit_links ' || chain, 0))
    FROM (
        SELECT DISTINCT chain
        FROM unnest(string_to_array(nullif(current_setting('tollgate.audit_chains', true), ''), ' ')
                    || coalesce(NEW.app_id, '-')) AS chain
        ORDER BY chain
    ) AS in_one_order;
    PERFORM set_config('tollgate.app_id', '*', true), set_config('tollgate.client_id', '', true);
    PERFORM public.link(NEW);
    PERFORM set_config('tollgate.app_id', app_id, true),
            set_config('tollgate.client_id', client_id, true);
    RETURN NULL;
END
$$;

-- GENERATED ALWAYS yields to OVERRIDING SYSTEM VALUE, which needs no right of its own: a row could be
-- written as if it were from before others. The service may not read the sequence, its owner may.
-- Notes the transaction's chains, too, for link_audit_row. Whoever set that to something else would
-- change nothing but the order of locks.
CREATE FUNCTION audit_log_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chains text := coalesce(current_setting('tollgate.audit_chains', true), '');
BEGIN
    IF NEW.id <> currval('public.audit_log_id_seq') THEN
        RAISE EXCEPTION 'a row of the audit log takes the next id' USING ERRCODE = 'check_violation';
    END IF;
    IF coalesce(NEW.app_id, '-') <> ALL (string_to_array(chains, ' ')) THEN
        PERFORM set_config('tollgate.audit_chains',
                           concat_ws(' ', nullif(chains, ''), coalesce(NEW.app_id, '-')), true);
    END IF;
    RETURN NEW;
END
$$;

REVOKE EXECUTE ON FUNCTION link(audit_log) FROM PUBLIC;
GRANT SELECT ON audit_links TO tollgate_service;

-- The rows that are there, in the order of their ids: while others go on writing, and then, with
-- the writers locked out for as long as it takes to look, those that they wrote meanwhile.
SELECT link(entry) FROM (SELECT * FROM audit_log ORDER BY id) AS entry;
ANALYZE audit_links;
LOCK TABLE audit_log IN SHARE ROW EXCLUSIVE MODE;
SELECT link(entry)
FROM (SELECT * FROM audit_log a
      WHERE NOT EXISTS (SELECT FROM audit_links l WHERE l.audit_id = a.id) ORDER BY id) AS entry;

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
