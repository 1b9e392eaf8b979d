"""The bugs: each one that somebody could write on a bad day, and that would cost money or trust."""

from tests.seeded_bugs.bug import Bug

_PAYMENTS = "shared/tollgate/operations/payments.py"
_SETTLEMENT = "shared/tollgate/operations/settlement.py"
_SETTLING = "shared/tollgate/domain/settling.py"

BUGS = (
    Bug(
        "an old word of the PSP is recorded after a newer one",
        _SETTLEMENT,
        "    if payment.version != read.version and _tells_more(payment, outcome):\n",
        "    if False:\n",
        ("tests/operations/test_outrun.py",),
    ),
    Bug(
        "the UNIQUE of the Idempotency-Key is dropped",
        "migrations/0003_payments.sql",
        "    CONSTRAINT one_payment_per_idempotency_key UNIQUE (app_id, idempotency_key),\n",
        "",
        ("tests/storage/test_constraints.py",),
    ),
    Bug(
        "the PSP is called before the payment is committed",
        _PAYMENTS,
        "        if payments.insert_claimed(\n",
        "        sending.start(context, payment, _customer(request), again=False)\n"
        "        if payments.insert_claimed(\n",
        ("tests/operations/test_payments.py",),
    ),
    Bug(
        "each attempt at a payment has its own key at the PSP",
        "shared/tollgate/domain/order.py",
        'return f"tollgate-{self.payment_id}"',
        'return f"tollgate-{self.payment_id}-{id(self)}"',
        ("tests/operations/test_payments.py", "tests/operations/test_reconcile.py"),
    ),
    Bug(
        "a lost answer counts as a failure",
        "shared/tollgate/domain/outcome.py",
        "UNKNOWN = Outcome(PaymentStatus.PENDING)",
        "UNKNOWN = Outcome(PaymentStatus.FAILED)",
        ("tests/operations/test_payments.py", "tests/psp"),
    ),
    Bug(
        "the amount that the PSP says is believed",
        _SETTLING,
        '        ("amount", asked_minor, outcome.money and outcome.money.amount_minor),\n',
        "",
        ("tests/domain/test_settling.py", "tests/operations/test_settlement.py"),
    ),
    Bug(
        "test money counts in live mode",
        _SETTLING,
        '        ("livemode", payment.livemode, outcome.livemode),\n',
        "",
        ("tests/domain/test_settling.py", "tests/operations/test_settlement.py"),
    ),
    Bug(
        "what the database refuses is swallowed",
        "shared/tollgate/storage/database.py",
        "            raise ConstraintViolated(error.diag.constraint_name or type(error).__name__) "
        "from None\n",
        "            pass\n",
        ("tests/storage/test_database.py", "tests/domain/test_payment_edges.py"),
    ),
    Bug(
        "the trigger takes every move of a payment",
        "migrations/0030_whose_page.sql",
        "    IF NEW.status <> OLD.status AND NOT EXISTS (",
        "    IF false AND NOT EXISTS (",
        ("tests/domain/test_payment_edges.py",),
    ),
    Bug(
        "a payment is changed without its row's lock",
        "shared/tollgate/storage/payments.py",
        '" FROM payments WHERE id = %(payment_id)s FOR UPDATE"',
        '" FROM payments WHERE id = %(payment_id)s"',
        ("tests/operations/test_settlement.py", "tests/operations/test_refunds.py"),
    ),
    Bug(
        "a change has no audit row",
        "shared/tollgate/storage/payments.py",
        "               SELECT app_id, %(actor)s, %(action)s, id, %(audit_before)s::jsonb,\n"
        "                      %(audit_after)s::jsonb, %(updated_at)s\n"
        "               FROM saved\n",
        "               SELECT app_id, %(actor)s, %(action)s, id, %(audit_before)s::jsonb,\n"
        "                      %(audit_after)s::jsonb, %(updated_at)s\n"
        "               FROM saved WHERE %(status)s <> 'succeeded'\n",
        ("tests/operations/test_settlement.py", "tests/operations/test_payment_details.py"),
    ),
    Bug(
        "the payment is committed before its period is given",
        _SETTLEMENT,
        "    with context.database.transaction():\n"
        "        recorded, granted = _record_locked(context, payment, outcome, actor)\n"
        "        reach(CrashPoint.SETTLE_WRITTEN)\n",
        "    recorded, granted = _record_locked(context, payment, outcome, actor)\n"
        "    reach(CrashPoint.SETTLE_WRITTEN)\n",
        ("tests/operations/test_settlement.py", "tests/storage/test_database.py"),
    ),
    Bug(
        "a payment for review gives its period",
        _SETTLEMENT,
        "        if after.status is PaymentStatus.SUCCEEDED and after.plan is not None:\n",
        "        if not after.is_open and after.plan is not None:\n",
        ("tests/operations/test_settlement.py",),
    ),
    Bug(
        "the cache is filled before the commit",
        _SETTLEMENT,
        "        reach(CrashPoint.SETTLE_WRITTEN)\n",
        "        if granted:\n"
        "            access_cache.put_dates(\n"
        "                context.cache, payment.app_id, payment.client_id, granted\n"
        "            )\n"
        "        reach(CrashPoint.SETTLE_WRITTEN)\n",
        ("tests/operations/test_outrun.py",),
    ),
    Bug(
        "an event counts as processed before it had its effect",
        "shared/tollgate/operations/webhooks.py",
        "    reach(CrashPoint.WEBHOOK_RECEIVED)\n",
        "    inbox.mark_processed(context.database, psp, hint.event_id, context.now())\n"
        "    reach(CrashPoint.WEBHOOK_RECEIVED)\n",
        ("tests/operations/test_settlement.py",),
    ),
    Bug(
        "two who retry both take over from a dead caller",
        "shared/tollgate/storage/idempotency.py",
        "             AND answer_status IS NULL AND locked_until = %(seen)s\n",
        "             AND answer_status IS NULL AND locked_until >= %(seen)s\n",
        ("tests/operations/test_outrun.py",),
    ),
    Bug(
        "a PSP without idempotency keys is not asked first",
        "shared/tollgate/operations/sending.py",
        ">= timedelta(hours=psp.capabilities.idempotency_hours)",
        "< timedelta(0)",
        ("tests/operations/test_reconcile.py",),
    ),
    Bug(
        "reconcile claims without moving the next check on",
        "shared/tollgate/storage/checks.py",
        "               next_check_at = %(now)s + make_interval(secs => least(\n",
        "               next_check_at = next_check_at + 0 * make_interval(secs => least(\n",
        ("tests/operations/test_reconcile.py",),
    ),
    Bug(
        "parallel refunds may exceed what was taken",
        "migrations/0017_refunds_and_disputes.sql",
        "           OR reserved + NEW.amount_minor > payment.amount_captured_minor\n",
        "",
        ("tests/storage/test_refund_constraints.py",),
    ),
    Bug(
        "a pending refund reserves nothing",
        "shared/tollgate/operations/refunds.py",
        "if r.status is not RefundStatus.FAILED)",
        "if r.status is RefundStatus.SUCCEEDED)",
        ("tests/operations/test_refunds.py",),
    ),
    Bug(
        "a refund that fails later stays booked",
        "migrations/0018_ledger.sql",
        "    ELSIF NEW.status <> 'succeeded' AND was_back THEN\n",
        "    ELSIF false THEN\n",
        ("tests/storage/test_ledger.py",),
    ),
    Bug(
        "a posting need not balance",
        "migrations/0018_ledger.sql",
        "HAVING sum(amount_minor) <> 0 OR count(*) <> 2 OR",
        "HAVING false AND",
        ("tests/storage/test_ledger.py",),
    ),
    Bug(
        "a second refund under our reference is taken for the first",
        _SETTLING,
        "        if refund is None and asked is not None and asked.psp_reference is None:\n",
        "        if refund is None and asked is not None:\n",
        ("tests/domain/test_follow_up.py",),
    ),
    Bug(
        "a dispute that is won does not give access back",
        "shared/tollgate/operations/periods.py",
        "    if after.plan is None or (was_back == is_back and not in_doubt):\n",
        "    if after.plan is None or was_back or not is_back:\n",
        ("tests/operations/test_refund_effects.py",),
    ),
    Bug(
        "the audit chain forgets what came before",
        "migrations/0015_audit_chain.sql",
        "RETURN sha256(previous || convert_to(",
        "RETURN sha256(convert_to(",
        ("tests/storage/test_audit_chain.py",),
    ),
    Bug(
        "the hash of a request is over what it means, not over what was sent",
        "shared/tollgate/http/endpoint.py",
        "hashlib.sha256(what + request.body).digest()",
        "hashlib.sha256(what + request.body.strip()).digest()",
        ("tests/operations/test_payments.py", "tests/http"),
    ),
    Bug(
        "an edited cursor is taken for the start",
        "shared/tollgate/domain/page.py",
        "    if not (after.isascii() and after.isprintable() and 0 < len(after) <= 256):\n",
        "    if not (after.isascii() and after.isprintable() and len(after) <= 256):\n",
        ("tests/operations/test_payment_lists.py", "tests/operations/test_plans.py"),
    ),
)
