"""Bugs of subscriptions and their renewals."""

from tests.seeded_bugs.bug import Bug

_SUBSCRIPTION = "shared/tollgate/domain/subscription.py"
_RENEWALS = "shared/tollgate/operations/renewals.py"
_DUNNING = "shared/tollgate/operations/dunning.py"
_CHARGED_ONCE = ("tests/operations/test_charged_once.py",)
_PERIODS = "shared/tollgate/operations/periods.py"
_TESTED_RENEWALS = ("tests/operations/test_renewals.py",)
_HISTORIES = ("tests/histories",)

RENEWAL_BUGS = (
    Bug(
        "grace lasts a day longer than the plan says",
        "shared/tollgate/domain/granting.py",
        "        grace_until=ends_at + timedelta(days=plan.grace_days),\n",
        "        grace_until=ends_at + timedelta(days=plan.grace_days + 1),\n",
        _HISTORIES,
    ),
    Bug(
        "the cache keeps whatever came last",
        "shared/tollgate/storage/access_cache.py",
        "read_at=known.read_at, version=known.version)",
        "read_at=known.read_at, version=10**9)",
        _HISTORIES,
    ),
    Bug(
        "no is answered from the cache",
        "shared/tollgate/operations/access.py",
        '    if answer.active:\n        return _view(context, call, answer, now, source="cache")\n',
        '    if cached:\n        return _view(context, call, answer, now, source="cache")\n',
        _HISTORIES,
    ),
    Bug(
        "a pause that is over by its date takes the time it lasted",
        _SUBSCRIPTION,
        "            return now - (self.resumes_at - self.paused_at)\n",
        "            return now\n",
        _HISTORIES,
    ),
    Bug(
        "periods do not move with a pause",
        _PERIODS,
        "    change = wake(subscription, paid, now)\n    save_periods(context, change)\n",
        "    change = wake(subscription, paid, now)\n",
        ("tests/operations/test_pauses.py",),
    ),
    Bug(
        "a pause that can't be written yet is taken for written",
        "shared/tollgate/storage/sweeps.py",
        " AND (resumes_at IS NULL OR resumes_at > %(now)s)\n",
        "\n",
        ("tests/operations/test_pauses.py",),
    ),
    Bug(
        "a bill may have two open payments",
        "migrations/0042_one_open_payment_per_bill.sql",
        "CREATE UNIQUE INDEX",
        "CREATE INDEX",
        ("tests/storage/test_bill_constraints.py",),
    ),
    Bug(
        "a declined charge is tried again whatever the bank says",
        _DUNNING,
        "        RetryAdvice.NEVER,\n        RetryAdvice.CLIENT,\n",
        "",
        _TESTED_RENEWALS,
    ),
    Bug(
        "a renewal is charged beside another payment that may pay for it",
        _DUNNING,
        "    if is_being_paid(context, bill):\n",
        "    if False:\n",
        _CHARGED_ONCE,
    ),
    Bug(
        "a change is charged beside another payment that may pay for it",
        "shared/tollgate/operations/plan_changes.py",
        " and not is_being_paid(context, bill):\n",
        ":\n",
        _CHARGED_ONCE,
    ),
    Bug(
        "the end of a trial charges a card",
        _RENEWALS,
        "is_charged=is_renewal)",
        "is_charged=True)",
        _CHARGED_ONCE,
    ),
    Bug(
        "a phone is prompted at night",
        _DUNNING,
        "    if now < asked_at:\n",
        "    if False:\n",
        ("tests/operations/test_prompting_hours.py",),
    ),
    Bug(
        "who left is billed all the same",
        "shared/tollgate/operations/bills.py",
        "    if dates.cancel_at is not None or dates.paused_at is not None:\n        return True\n",
        "",
        _TESTED_RENEWALS,
    ),
    Bug(
        "the pay page starts a second payment beside an open one",
        "shared/tollgate/operations/pay_page.py",
        "    if not make_room(context, opened.last):",
        "    if False:",
        ("tests/operations/test_pay_page.py",),
    ),
    Bug(
        "the pay page takes another amount than it showed",
        "shared/tollgate/operations/pay_page.py",
        "    if shown != pages.shown_amount(opened.bill.money):\n",
        "    if not shown:\n",
        ("tests/operations/test_pay_page_forms.py",),
    ),
    Bug(
        "a payment that may be paid yet is taken for a lost one",
        "shared/tollgate/operations/pay_tries.py",
        "        if locked.version != payment.version:\n            return locked",
        "        if False:\n            return locked",
        ("tests/operations/test_pay_page_waits.py",),
    ),
    Bug(
        "a second tap on the pay page sends a second prompt",
        "shared/tollgate/operations/pay_page.py",
        "    if is_late or _is_over(context, opened.bill):\n",
        "    if _is_over(context, opened.bill):\n",
        ("tests/operations/test_pay_page.py",),
    ),
    Bug(
        "a charge that was on its way ends a pause",
        _PERIODS,
        "    if payment.is_off_session and live.dates.is_paused(now):\n",
        "    if False:\n",
        ("tests/operations/test_pauses.py",),
    ),
    Bug(
        "time that a won dispute gives back goes to a subscription that was replaced",
        _PERIODS,
        "    return not periods.may_come_back(context.database, live.dates.subscription_id)\n",
        "    return True\n",
        ("tests/operations/test_refund_effects.py",),
    ),
    Bug(
        "an end is never told when the row is written before the timer comes",
        "migrations/0036_subscriptions_follow_dates.sql",
        "        NEW.status := OLD.status;\n",
        "",
        ("tests/operations/test_renewal_days.py",),
    ),
)
