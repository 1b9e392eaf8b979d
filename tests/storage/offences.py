"""How each rule of storage/invariants.py can be broken, once every guard is switched off."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Offence:
    """How a rule is broken. `sql` and `by`, who offends, name what one_of_each keeps."""

    sql: str
    by: str
    without: str = ""
    """The constraints that stand in its way, as table.constraint."""


OFFENCES = {
    "one_payment_per_key": [
        Offence(
            "UPDATE payments SET idempotency_key = 'k-paid' WHERE id = '{open}'",
            "{paid} {open}",
            "payments.one_payment_per_idempotency_key",
        ),
        Offence(
            "UPDATE refunds SET idempotency_key = 'k-paid' WHERE id = '{refund}'", "{paid} {refund}"
        ),
    ],
    "one_row_per_reference": [
        Offence(
            "UPDATE payments SET psp_reference = 'ref_{paid}' WHERE id = '{open}'",
            "{paid} {open}",
            "payments.one_payment_per_psp_reference",
        ),
        Offence(
            "UPDATE refunds SET psp_reference = 'same'",
            "{refund} {whole}",
            "refunds.one_refund_per_psp_reference",
        ),
    ],
    "amounts_in_order": [
        Offence(
            "UPDATE payments SET amount_minor = 1 WHERE id = '{paid}'",
            "{paid}",
            "payments.captured_within_amount",
        ),
        Offence(
            "UPDATE payments SET amount_refunded_minor = -1 WHERE id = '{paid}'",
            "{paid}",
            "payments.refunded_within_captured payments.state_says_what_went_back",
        ),
    ],
    "refunds_add_up": [
        Offence("UPDATE refunds SET status = 'failed' WHERE id = '{refund}'", "{paid}"),
        Offence("UPDATE refunds SET amount_minor = 501 WHERE id = '{refund}'", "{paid}"),
    ],
    "status_follows_money": [
        Offence("DELETE FROM disputes", "{disputed}"),
        Offence("UPDATE payments SET status = 'disputed' WHERE id = '{paid}'", "{paid}"),
        Offence(
            "UPDATE payments SET status = 'succeeded' WHERE id = '{open}'",
            "{open}",
            "payments.state_says_what_was_taken",
        ),
    ],
    "postings_sum_to_zero": [
        Offence(
            "DELETE FROM ledger_entries WHERE kind = 'refund' AND account = 'app' "
            "AND source_id = '{refund}'",
            "refund:{refund}:2",
        ),
    ],
    "ledger_sums_to_zero": [
        Offence(
            "UPDATE ledger_entries SET amount_minor = amount_minor + 1 "
            "WHERE source_id = '{refund}' AND account = 'app'",
            "{app}:KES",
        ),
    ],
    "ledger_follows_state": [
        Offence("DELETE FROM ledger_entries WHERE source_id = '{paid}'", "{paid}"),
        Offence("DELETE FROM ledger_entries WHERE source_id = '{refund}'", "{paid}"),
        Offence("UPDATE disputes SET status = 'won'", "{disputed}"),
        Offence("UPDATE ledger_entries SET payment_id = 'pay_x'", "pay_x {paid}"),
        Offence(
            "UPDATE ledger_entries SET currency = 'USD' WHERE source_id = '{refund}'", "{paid}"
        ),
        Offence(
            "UPDATE payments SET fee_minor = 7, fee_currency = 'KES' WHERE id = '{paid}'", "{paid}"
        ),
    ],
    "paid_gives_a_period": [
        Offence("DELETE FROM subscription_periods WHERE payment_id = '{paid}'", "{paid}"),
        Offence(
            "INSERT INTO subscription_periods SELECT * FROM subscription_periods "
            "WHERE payment_id = '{paid}'",
            "{paid}",
            "subscription_periods.subscription_periods_pkey "
            "subscription_periods.no_instant_is_given_twice",
        ),
    ],
    "periods_were_paid": [
        Offence(
            "UPDATE subscription_periods SET payment_id = '{open}' WHERE payment_id = '{paid}'",
            "{open}",
        ),
        Offence(
            "UPDATE payments SET plan = NULL, product = NULL WHERE id = '{paid}'",
            "{paid}",
        ),
    ],
    "review_gives_nothing": [
        Offence(
            "UPDATE subscription_periods SET payment_id = '{reviewed}' WHERE payment_id = '{paid}'",
            "{reviewed}",
        ),
    ],
    "back_is_reversed": [
        Offence(
            "UPDATE subscription_periods SET reversal = NULL, ends_at = ends_at + interval '1 day' "
            "WHERE payment_id = '{back}'",
            "{back}",
        ),
        Offence(
            "UPDATE subscription_periods SET reversal = '{{}}' WHERE payment_id = '{paid}'",
            "{paid}",
        ),
    ],
    "periods_do_not_overlap": [
        Offence(
            "UPDATE subscription_periods SET subscription_id = "
            "(SELECT subscription_id FROM payments WHERE id = '{paid}'), "
            "starts_at = starts_at + interval '1 hour', ends_at = ends_at + interval '40 days' "
            "WHERE payment_id = '{back}'",
            "{back}",
            "subscription_periods.no_instant_is_given_twice",
        ),
    ],
    "paid_through_the_last_period": [
        Offence(
            "UPDATE subscriptions SET paid_through = paid_through - interval '1 second' "
            "WHERE client_id = 'paid'",
            "{subscription}",
        ),
        Offence("DELETE FROM subscription_periods WHERE payment_id = '{paid}'", "{subscription}"),
    ],
    "states_are_audited": [
        Offence("UPDATE payments SET status = 'processing' WHERE id = '{open}'", "{open}"),
        Offence("DELETE FROM audit_log WHERE action = 'refund.created'", "{refund}"),
        Offence("DELETE FROM audit_log WHERE object_id LIKE 'dis_%%'", "{dispute}"),
        Offence("UPDATE payments SET version = version + 1 WHERE id = '{open}'", "{open}"),
    ],
    "subscriptions_are_audited": [
        Offence(
            "DELETE FROM audit_log WHERE object_id = '{subscription}'",
            "{subscription}",
        ),
        Offence(
            "UPDATE subscriptions SET paid_through = paid_through - interval '1 second' "
            "WHERE client_id = 'paid'",
            "{subscription}",
        ),
    ],
    "moves_are_allowed": [
        Offence(
            'UPDATE audit_log SET after = \'{{"status": "expired"}}\' '
            "WHERE object_id = '{paid}' AND after ->> 'status' = 'succeeded'",
            "{paid}",
        ),
        Offence(
            "DELETE FROM audit_log WHERE object_id = '{paid}' "
            "AND after ->> 'status' = 'requires_action'",
            "{paid}",
        ),
    ],
    "audit_is_linked": [
        Offence("DELETE FROM audit_links WHERE audit_id = {row}", "{row}"),
        Offence("DELETE FROM audit_log WHERE id = {row}", "{row}"),
        Offence("UPDATE audit_links SET chain = 'app_x' WHERE audit_id = {row}", "{row}"),
    ],
    "events_are_counted": [
        Offence("UPDATE outbox SET aggregate_id = 'pay_x' WHERE id = '{event}'", "{event}"),
        Offence("UPDATE outbox SET app_id = 'app_x' WHERE id = '{event}'", "{event}"),
        Offence("UPDATE outbox SET sequence = 99 WHERE id = '{event}'", "{event}"),
        Offence(
            "UPDATE outbox SET sequence = 1 WHERE aggregate_id = '{paid}'",
            "{event}",
            "outbox.outbox_aggregate_id_sequence_key",
        ),
    ],
    "paid_is_told_once": [
        Offence("DELETE FROM outbox WHERE id = '{event}'", "{paid}"),
        Offence(
            "UPDATE outbox SET type = 'payment.succeeded' WHERE aggregate_id = '{paid}'", "{paid}"
        ),
    ],
    "open_is_checked": [
        Offence("UPDATE payments SET next_check_at = NULL WHERE id = '{open}'", "{open}"),
        Offence("UPDATE refunds SET status = 'pending' WHERE id = '{refund}'", "{refund}"),
    ],
    "keys_are_of_what_they_made": [
        Offence("UPDATE idempotency_keys SET payment_id = '{open}' WHERE key = 'k-paid'", "{open}"),
        Offence("UPDATE idempotency_keys SET payment_id = 'pay_x' WHERE key = 'k-paid'", "pay_x"),
        Offence("UPDATE refunds SET idempotency_key = 'x' WHERE id = '{refund}'", "{refund}"),
        Offence(
            "UPDATE idempotency_keys SET request_sha256 = sha256('x') WHERE key = 'k-paid'",
            "{paid}",
        ),
    ],
    "all_of_one_app": [
        Offence("UPDATE refunds SET app_id = '{other}' WHERE id = '{refund}'", "{refund}"),
        Offence("UPDATE disputes SET app_id = '{other}'", "{dispute}"),
        Offence(
            "UPDATE ledger_entries SET app_id = '{other}' WHERE source_id = '{paid}'", "{paid}"
        ),
        Offence("UPDATE audit_log SET app_id = '{other}' WHERE object_id = '{open}'", "{open}"),
        Offence("UPDATE inbox SET app_id = '{other}' WHERE payment_id = '{paid}'", "{paid}"),
        Offence("UPDATE subscriptions SET app_id = '{other}' WHERE client_id = 'paid'", "{paid}"),
        Offence("UPDATE subscriptions SET client_id = 'x' WHERE client_id = 'paid'", "{paid}"),
        Offence(
            "UPDATE subscription_periods SET app_id = '{other}' WHERE payment_id = '{paid}'",
            "{paid}",
        ),
    ],
}
"""By rule: each of these is seen by it."""
