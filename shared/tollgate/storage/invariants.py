"""What must hold in the database at every commit, and who offends against it.

Each rule is one statement over whole tables: joins and aggregates, never a query per row. A rule
is looked at in one snapshot, so that it may be checked while the functions go on working.
"""

from dataclasses import dataclass
from typing import LiteralString

from tollgate.storage.database import Database


@dataclass(frozen=True)
class Invariant:
    """A rule in one sentence. `sql` selects the `id` of each object that offends against it."""

    name: str
    rule: str
    sql: LiteralString


@dataclass(frozen=True)
class Offenders:
    """How many objects offend, and the first of them in the order of their ids."""

    count: int
    ids: tuple[str, ...]


INVARIANTS = (
    Invariant(
        "one_payment_per_key",
        "A key of an app made one payment or one refund, and no second one.",
        """SELECT unnest(array_agg(id)) AS id
           FROM (SELECT id, app_id, idempotency_key FROM payments
                 UNION ALL
                 SELECT id, app_id, idempotency_key FROM refunds
                 WHERE idempotency_key IS NOT NULL) AS made
           GROUP BY app_id, idempotency_key HAVING count(*) > 1""",
    ),
    Invariant(
        "one_row_per_reference",
        "A charge of a PSP is one payment here, and a refund of a PSP one refund.",
        """SELECT unnest(array_agg(id)) AS id FROM payments WHERE psp_reference IS NOT NULL
           GROUP BY psp, psp_reference HAVING count(*) > 1
           UNION ALL
           SELECT unnest(array_agg(id)) FROM refunds WHERE psp_reference IS NOT NULL
           GROUP BY psp, psp_reference HAVING count(*) > 1""",
    ),
    Invariant(
        "amounts_in_order",
        "0 <= refunded <= captured <= amount.",
        """SELECT id FROM payments
           WHERE NOT (0 <= amount_refunded_minor AND amount_refunded_minor <= amount_captured_minor
                      AND amount_captured_minor <= amount_minor)""",
    ),
    Invariant(
        "refunds_add_up",
        "What a payment says went back is the sum of its refunds that succeeded.",
        """SELECT p.id FROM payments p
           LEFT JOIN (SELECT payment_id, sum(amount_minor) AS back FROM refunds
                      WHERE status = 'succeeded' GROUP BY payment_id) r ON r.payment_id = p.id
           WHERE p.amount_refunded_minor <> coalesce(r.back, 0)""",
    ),
    # What is for review keeps the state of its money as it was: it says nothing here.
    Invariant(
        "status_follows_money",
        "A payment's status is what its amounts, refunds and disputes make of it.",
        """SELECT p.id FROM payments p
           LEFT JOIN (SELECT DISTINCT payment_id FROM disputes
                      WHERE status IN ('open', 'lost')) d ON d.payment_id = p.id
           WHERE CASE
               WHEN p.status = 'needs_review' THEN false
               WHEN p.amount_captured_minor = 0
                   THEN p.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
               WHEN d.payment_id IS NOT NULL THEN p.status <> 'disputed'
               WHEN p.amount_refunded_minor >= p.amount_captured_minor THEN p.status <> 'refunded'
               WHEN p.amount_refunded_minor > 0 THEN p.status <> 'partially_refunded'
               ELSE p.status <> 'succeeded'
           END""",
    ),
    Invariant(
        "postings_sum_to_zero",
        "Every posting of the ledger is two entries of one currency that sum to zero.",
        """SELECT kind || ':' || source_id || ':' || source_version AS id FROM ledger_entries
           GROUP BY kind, source_id, source_version
           HAVING sum(amount_minor) <> 0 OR count(*) <> 2 OR count(DISTINCT currency) <> 1""",
    ),
    Invariant(
        "ledger_sums_to_zero",
        "Each app's ledger sums to zero in each currency.",
        """SELECT app_id || ':' || currency AS id FROM ledger_entries
           GROUP BY app_id, currency HAVING sum(amount_minor) <> 0""",
    ),
    Invariant(
        "ledger_follows_state",
        "Captured, refunded, disputed and fee of a payment are what its ledger entries come to.",
        """WITH booked AS (
               SELECT payment_id,
                      sum(amount_minor) FILTER (WHERE kind = 'capture'
                                                  AND account = 'psp') AS captured,
                      sum(amount_minor) FILTER (WHERE kind IN ('refund', 'refund_reversal')
                                                  AND account = 'app') AS refunded,
                      sum(amount_minor) FILTER (WHERE account = 'disputes') AS disputed,
                      sum(amount_minor) FILTER (WHERE account = 'fees') AS fee,
                      array_agg(DISTINCT currency) FILTER (WHERE kind <> 'fee') AS currencies
               FROM ledger_entries GROUP BY payment_id
           ), taken AS (
               SELECT payment_id, sum(amount_minor) AS disputed FROM disputes
               WHERE status IN ('open', 'lost') GROUP BY payment_id
           )
           SELECT coalesce(p.id, b.payment_id) AS id
           FROM payments p
           FULL JOIN booked b ON b.payment_id = p.id
           LEFT JOIN taken t ON t.payment_id = p.id
           WHERE p.id IS NULL
              OR coalesce(b.captured, 0) <> p.amount_captured_minor
              OR coalesce(b.refunded, 0) <> p.amount_refunded_minor
              OR coalesce(b.disputed, 0) <> coalesce(t.disputed, 0)
              OR coalesce(b.fee, 0) <> coalesce(p.fee_minor, 0)
              OR b.currencies <> ARRAY[p.currency]""",
    ),
    Invariant(
        "paid_gives_a_period",
        "Every paid payment of a plan gave exactly one period, also when that was reversed since.",
        """SELECT p.id FROM payments p
           LEFT JOIN (SELECT payment_id, count(*) AS given FROM subscription_periods
                      GROUP BY payment_id) g ON g.payment_id = p.id
           WHERE p.plan IS NOT NULL AND coalesce(g.given, 0) <> 1
             AND p.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')""",
    ),
    Invariant(
        "periods_were_paid",
        "No period without a payment of a plan that is paid, or was before it went back.",
        """SELECT g.payment_id AS id FROM subscription_periods g
           LEFT JOIN payments p ON p.id = g.payment_id
           WHERE p.id IS NULL OR p.plan IS NULL
              OR p.status IN ('pending', 'requires_action', 'processing', 'authorized', 'failed',
                              'canceled', 'expired')""",
    ),
    Invariant(
        "review_gives_nothing",
        "What needs review gives no period, unless it was paid before.",
        """SELECT p.id FROM payments p JOIN subscription_periods g ON g.payment_id = p.id
           WHERE p.status = 'needs_review' AND p.amount_captured_minor = 0""",
    ),
    # A plan's rule may be changed later on: what it said at the time is then in the audit log.
    Invariant(
        "back_is_reversed",
        "A period is reversed if and only if its money went back, where the plan's rule says so.",
        """SELECT p.id FROM payments p
           JOIN subscription_periods g ON g.payment_id = p.id
           LEFT JOIN plans ON plans.app_id = p.app_id AND plans.code = p.plan
           WHERE (g.reversal IS NOT NULL AND p.status IN ('succeeded', 'partially_refunded'))
              OR (g.reversal IS NULL AND p.status IN ('refunded', 'disputed')
                  AND plans.refund_rule <> 'never'
                  AND NOT EXISTS (SELECT FROM audit_log a
                                  WHERE a.object_id = plans.code AND a.app_id = plans.app_id
                                    AND a.before ->> 'refund_rule' = 'never'))""",
    ),
    Invariant(
        "periods_do_not_overlap",
        "No two periods of a subscription overlap.",
        """SELECT payment_id AS id
           FROM (SELECT payment_id, starts_at,
                        max(ends_at) OVER (
                            PARTITION BY subscription_id ORDER BY starts_at, ends_at
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS taken
                 FROM subscription_periods WHERE starts_at < ends_at) AS periods
           WHERE starts_at < taken""",
    ),
    # Time that is taken out moves up what follows it and ends at what was used, so the last end
    # stays exact. Only where all of it was taken back before it began, behind a trial, nothing is
    # paid for, and no date is kept.
    Invariant(
        "paid_through_the_last_period",
        "A subscription is paid through the last end of its periods or of imported time, if any.",
        """SELECT s.id FROM subscriptions s
           LEFT JOIN (SELECT subscription_id, max(ends_at) AS ends_at,
                             bool_and(starts_at = ends_at) AS unused
                      FROM subscription_periods GROUP BY subscription_id) g
             ON g.subscription_id = s.id
           WHERE s.paid_through IS DISTINCT FROM greatest(g.ends_at, s.imported_through)
             AND NOT (s.paid_through IS NULL AND g.unused AND g.ends_at = s.trial_end)""",
    ),
    Invariant(
        "states_are_audited",
        "Each change of a payment, refund or dispute has its audit row; the last tells the status.",
        """WITH told AS (
               SELECT object_id, count(*) AS changes,
                      (array_agg(after ->> 'status' ORDER BY id DESC))[1] AS status
               FROM audit_log WHERE split_part(action, '.', 1) IN ('payment', 'refund', 'dispute')
               GROUP BY object_id
           ), kept AS (
               SELECT id, status, version FROM payments
               UNION ALL SELECT id, status, version FROM refunds
               UNION ALL SELECT id, status, version FROM disputes
           )
           SELECT kept.id FROM kept LEFT JOIN told ON told.object_id = kept.id
           WHERE told.status IS DISTINCT FROM kept.status
              OR told.changes IS DISTINCT FROM kept.version""",
    ),
    Invariant(
        "subscriptions_are_audited",
        "Every change of a subscription has its audit row, or its event; the last row tells its"
        " paid_through.",
        """WITH told AS (
               SELECT object_id, count(*) AS changes,
                      (array_agg((after ->> 'paid_through')::timestamptz ORDER BY id DESC))[1]
                          AS paid_through
               FROM audit_log WHERE action LIKE 'subscription.%%' AND action <> 'subscription.ended'
               GROUP BY object_id
           ), announced AS ( -- nothing of it changed: it turned by the clock, or is to be paid
               SELECT aggregate_id, count(*) AS times FROM outbox
               WHERE type IN ('subscription.trial_will_end', 'subscription.renewal_due',
                              'subscription.past_due', 'subscription.expired')
               GROUP BY aggregate_id
           )
           SELECT s.id FROM subscriptions s
           LEFT JOIN told ON told.object_id = s.id
           LEFT JOIN announced ON announced.aggregate_id = s.id
           WHERE told.changes + coalesce(announced.times, 0) IS DISTINCT FROM s.version
              OR told.paid_through IS DISTINCT FROM s.paid_through""",
    ),
    Invariant(
        "moves_are_allowed",
        "By its audit rows a payment moved along the edges, each time from where it stood.",
        """SELECT object_id AS id
           FROM (SELECT object_id, before ->> 'status' AS moved_from,
                        after ->> 'status' AS moved_to,
                        lag(after ->> 'status') OVER (PARTITION BY object_id ORDER BY id) AS stood
                 FROM audit_log WHERE action LIKE 'payment.%%') AS moves
           WHERE moved_from IS DISTINCT FROM stood
              OR (moved_from <> moved_to
                  AND NOT EXISTS (SELECT FROM payment_edges e
                                  WHERE e.from_status = moved_from AND e.to_status = moved_to))""",
    ),
    Invariant(
        "audit_is_linked",
        "Every audit row has its link in the chain of its app, and every link its row.",
        """SELECT coalesce(a.id, l.audit_id) AS id
           FROM audit_log a FULL JOIN audit_links l ON l.audit_id = a.id
           WHERE a.id IS NULL OR l.audit_id IS NULL OR l.chain <> coalesce(a.app_id, '')""",
    ),
    Invariant(
        "events_are_counted",
        "An event is of an object of its app, at a place in its order that no other event has.",
        """SELECT e.id FROM outbox e
           LEFT JOIN (SELECT id, app_id, version - 1 AS moves FROM payments
                      UNION ALL SELECT id, app_id, version FROM refunds
                      UNION ALL SELECT id, app_id, version FROM subscriptions) AS kept
             ON kept.id = e.aggregate_id AND kept.app_id = e.app_id
           WHERE kept.id IS NULL OR e.sequence NOT BETWEEN 1 AND kept.moves
           UNION ALL
           SELECT unnest(array_agg(id)) FROM outbox
           GROUP BY aggregate_id, sequence HAVING count(*) > 1""",
    ),
    # An operator may end a review either way: what was in one is told as often as it was decided.
    Invariant(
        "paid_is_told_once",
        "A paid payment that was never for review has exactly one event that says it succeeded.",
        """SELECT p.id FROM payments p
           LEFT JOIN (SELECT aggregate_id, count(*) AS told FROM outbox
                      WHERE type = 'payment.succeeded' GROUP BY aggregate_id) e
             ON e.aggregate_id = p.id
           LEFT JOIN (SELECT DISTINCT object_id FROM audit_log
                      WHERE after ->> 'status' = 'needs_review') AS reviewed
             ON reviewed.object_id = p.id
           WHERE reviewed.object_id IS NULL AND coalesce(e.told, 0) <> 1
             AND p.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')""",
    ),
    Invariant(
        "open_is_checked",
        "What is open, a payment or a refund of it, will be looked at again.",
        """SELECT id FROM payments
           WHERE next_check_at IS NULL
             AND status IN ('pending', 'requires_action', 'processing', 'authorized')
           UNION ALL
           SELECT r.id FROM refunds r JOIN payments p ON p.id = r.payment_id
           WHERE r.status = 'pending' AND p.next_check_at IS NULL""",
    ),
    Invariant(
        "keys_are_of_what_they_made",
        "An idempotency key points to the payment or refund that holds the same key and request.",
        """SELECT coalesce(k.refund_id, k.payment_id) AS id FROM idempotency_keys k
           LEFT JOIN payments p ON p.app_id = k.app_id AND p.id = k.payment_id
           LEFT JOIN refunds r ON r.app_id = k.app_id AND r.id = k.refund_id
           WHERE CASE WHEN k.refund_id IS NULL
               THEN p.idempotency_key IS DISTINCT FROM k.key
                    OR coalesce(p.request_sha256, k.request_sha256) <> k.request_sha256
               ELSE (r.idempotency_key, r.request_sha256, r.payment_id)
                    IS DISTINCT FROM (k.key, k.request_sha256, k.payment_id)
           END""",
    ),
    Invariant(
        "all_of_one_app",
        "What belongs together belongs to one app, and a period to the client who paid for it.",
        """SELECT x.id FROM refunds x LEFT JOIN payments p ON p.id = x.payment_id
           WHERE p.app_id IS DISTINCT FROM x.app_id
           UNION ALL
           SELECT x.id FROM disputes x LEFT JOIN payments p ON p.id = x.payment_id
           WHERE p.app_id IS DISTINCT FROM x.app_id
           UNION ALL
           SELECT p.id FROM ledger_entries x JOIN payments p ON p.id = x.payment_id
           WHERE p.app_id <> x.app_id
           UNION ALL
           SELECT p.id FROM audit_log x JOIN payments p ON p.id = x.object_id
           WHERE p.app_id IS DISTINCT FROM x.app_id
           UNION ALL
           SELECT p.id FROM inbox x JOIN payments p ON p.id = x.payment_id
           WHERE p.app_id IS DISTINCT FROM x.app_id
           UNION ALL
           SELECT p.id FROM payments p LEFT JOIN subscriptions s ON s.id = p.subscription_id
           WHERE p.subscription_id IS NOT NULL
             AND (s.app_id, s.client_id) IS DISTINCT FROM (p.app_id, p.client_id)
           UNION ALL
           SELECT x.payment_id FROM subscription_periods x JOIN payments p ON p.id = x.payment_id
           WHERE (x.app_id, x.subscription_id) IS DISTINCT FROM (p.app_id, p.subscription_id)""",
    ),
)


_THE_FIRST_OF: LiteralString = """SELECT id, count(*) OVER () AS offenders FROM ("""
_IN_ORDER: LiteralString = """) AS found GROUP BY id ORDER BY id LIMIT %(limit)s"""


def find_offenders(database: Database, invariant: Invariant, limit: int) -> Offenders:
    """Who breaks the rule now; nobody when it holds. The caller sees every tenant."""
    with database.transaction():
        # under row-level security one row is expected of each table: whole ones are never compared
        # row by row
        database.one("SELECT set_config('enable_nestloop', 'off', true)", {})
        rows = database.all(_THE_FIRST_OF + invariant.sql + _IN_ORDER, {"limit": limit})
    count = rows[0]["offenders"] if rows else 0
    return Offenders(count, tuple(str(row["id"]) for row in rows))
