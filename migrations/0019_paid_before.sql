-- migrate:up transaction:false

-- What was paid before there was an amount for it, which the triggers of 0018 book; and what is open
-- before there were checks. In small commits: nobody waits long for a row.
DO $$
BEGIN
    LOOP
        PERFORM set_config('tollgate.app_id', '*', true);
        UPDATE payments
        SET amount_captured_minor = CASE
                WHEN status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
                THEN amount_minor ELSE 0 END,
            next_check_at = CASE
                WHEN status IN ('pending', 'requires_action', 'processing', 'authorized')
                THEN updated_at END
        WHERE id IN (
            SELECT id FROM payments
            WHERE CASE
                WHEN status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
                THEN amount_captured_minor = 0
                ELSE next_check_at IS NULL
                     AND status IN ('pending', 'requires_action', 'processing', 'authorized') END
            LIMIT 2000);
        EXIT WHEN NOT FOUND;
        COMMIT;
    END LOOP;
END
$$;

-- migrate:down

DO $$ BEGIN RAISE EXCEPTION 'migrations go forward only'; END $$;
