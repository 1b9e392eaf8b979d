"""The timer of subscriptions: what turns by the clock is told, bills are opened and seen to.

One engine for both ways of paying: a bill is opened ahead of the end, and on each day of its
schedule (domain/bill.py) what the client let the app keep is charged, or else the client is asked.
Whether somebody has access never waits for any of this.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tollgate.crash_points import CrashPoint, reach
from tollgate.domain.app import App
from tollgate.domain.bill import BillKind, closing
from tollgate.domain.errors import BillClosed, PlanNotPriced, TollgateError
from tollgate.domain.plan import PricedPlan
from tollgate.domain.principal import EVERY_TENANT
from tollgate.domain.subscription import Subscription
from tollgate.logs import log
from tollgate.operations.bills import Asked, get_priced, new_bill
from tollgate.operations.context import Context
from tollgate.operations.dunning import LOOK_AGAIN, announce_bill, see_to
from tollgate.operations.periods import up_to_date
from tollgate.storage import access_cache, apps, bills, subscriptions, sweeps

SWEEP_BATCH = 1000
OPEN_BATCH = 200
STEP_BATCH = 20
RESUME_BATCH = 100
NOT_PRICED_PAUSE = timedelta(days=1)
_ACTOR = "renew"

HasTime = Callable[[], bool]


@dataclass
class _Report:
    """What a slice did."""

    turned: int = 0
    resumed: int = 0
    opened: int = 0
    seen_to: int = 0
    charged: int = 0
    troubled: list[str] = field(default_factory=list)


def renew_subscriptions(context: Context, has_time: HasTime) -> dict[str, Any]:
    """One slice of it, for as long as there is time; what it did, as JSON.

    `turned` subscriptions whose status followed the clock, `resumed` pauses, bills `opened` and
    `seen_to`, of which `charged`; `troubled` ids that could not be done; `due` what is left.
    """
    every, report = context.within(EVERY_TENANT), _Report()
    for part in (_resume, _sweep, _open, _see_to):
        try:
            part(every, has_time, report)
        except TollgateError as error:  # such as a deadlock: it stops none of the others
            log("renew.troubled", alert=True, part=part.__name__.lstrip("_"), code=error.code)
    now = every.now()
    left = sweeps.count_due(every.database, now) + bills.count_due(every.database, now)
    return {**report.__dict__, "due": left}


def _sweep(every: Context, has_time: HasTime, report: _Report) -> None:
    while has_time():
        looked_at = sweeps.move_due(every.database, every.now(), every.random_bytes, SWEEP_BATCH)
        reach(CrashPoint.RENEW_SWEPT)
        report.turned += looked_at
        if looked_at < SWEEP_BATCH:
            return


def _resume(every: Context, has_time: HasTime, report: _Report) -> None:
    """Writes the pauses that are over into dates and periods; access did not wait for that."""
    while has_time():
        due = sweeps.list_resuming(every.database, every.now(), RESUME_BATCH)
        troubled = []
        for subscription in due:
            try:
                _resume_one(every, subscription)
            except TollgateError as error:  # one holds up no other
                subscription_id = subscription.dates.subscription_id
                log("pause.troubled", alert=True, subscription_id=subscription_id, code=error.code)
                troubled.append(subscription_id)
            reach(CrashPoint.RENEW_RESUMED)
        report.resumed += len(due) - len(troubled)
        report.troubled += troubled
        if len(due) < RESUME_BATCH or troubled:
            return


def _resume_one(every: Context, found: Subscription) -> None:
    mine = every.within(found.tenant)
    with mine.database.transaction():
        subscriptions.lock_client(mine.database, found.app_id, found.client_id, mine.now())
        subscription = subscriptions.get_subscription(mine.database, found.dates.subscription_id)
        if up_to_date(mine, subscription, _ACTOR) is subscription:
            return  # somebody else was quicker
        known = subscriptions.read_access(mine.database, found.app_id, found.client_id)
    access_cache.put_dates(mine.cache, found.app_id, found.client_id, known)


def _open(every: Context, has_time: HasTime, report: _Report) -> None:
    catalogue = _Catalogue(every)
    while has_time():
        with every.database.transaction():
            due = bills.claim_unbilled(every.database, every.now(), OPEN_BATCH)
            if due:
                report.opened += _open_batch(every, due, catalogue, report)
        reach(CrashPoint.RENEW_OPENED)
        if len(due) < OPEN_BATCH:
            return


@dataclass
class _Catalogue:
    """Apps and plans, each read once in a slice."""

    context: Context
    _plans: dict[tuple[str, str], PricedPlan] = field(default_factory=dict)
    _apps: dict[str, App] = field(default_factory=dict)

    def app(self, app_id: str) -> App:
        """An app, deleted or not."""
        if app_id not in self._apps:
            app = apps.find_app(self.context.database, app_id)
            assert app is not None, "subscriptions refer to apps"
            self._apps[app_id] = app
        return self._apps[app_id]

    def plan(self, app_id: str, code: str) -> PricedPlan:
        """A plan with its prices."""
        if (app_id, code) not in self._plans:
            self._plans[app_id, code] = get_priced(self.context, app_id, code)
        return self._plans[app_id, code]


def _open_batch(
    every: Context, due: Iterable[Subscription], catalogue: _Catalogue, report: _Report
) -> int:
    """Opens the bills of these subscriptions, whose rows the caller's transaction holds."""
    now, by_id, to_open, not_priced = every.now(), dict[str, Subscription](), [], []
    for subscription in due:
        subscription_id, due_at = subscription.dates.subscription_id, subscription.dates.ends_at
        by_id[subscription_id] = subscription
        priced = catalogue.plan(subscription.app_id, subscription.dates.renews_on)
        if due_at is None or now >= closing(priced.plan, due_at):
            continue  # it ended long ago: who comes back asks for a bill
        app = catalogue.app(subscription.app_id)
        if app.deleted_at is not None:
            continue
        # the first period, which follows a trial, is the client's to pay
        is_renewal = subscription.dates.paid_through is not None
        asked = Asked(BillKind.PERIOD, due_at, is_charged=is_renewal)
        currency = subscription.currency or app.default_currency
        try:
            to_open.append(new_bill(every, subscription, priced, currency, asked))
        except PlanNotPriced as error:
            log("bill.not_priced", alert=True, subscription_id=subscription_id, code=error.code)
            not_priced.append(subscription_id)
    report.troubled += not_priced
    bills.postpone_bills(every.database, list(by_id), None)
    bills.postpone_bills(every.database, not_priced, now + NOT_PRICED_PAUSE)
    opened = bills.open_bills(every.database, to_open, _ACTOR)
    for subscription_id in {bill.subscription_id for bill in to_open} - set(opened):
        # a refund moved the end back to where a bill was paid: who had money back is not asked anew
        log("bill.paid_before", subscription_id=subscription_id)
        report.troubled.append(subscription_id)
    subscriptions.tell(
        every.database,
        [
            announce_bill(every, by_id[subscription_id], bill)
            for subscription_id, bill in opened.items()
        ],
        now,
    )
    return len(opened)


def _see_to(every: Context, has_time: HasTime, report: _Report) -> None:
    while has_time():
        due = bills.claim_due(every.database, every.now(), STEP_BATCH)
        if not due:
            return
        reach(CrashPoint.RENEW_CLAIMED)
        for bill in due:
            if not has_time():
                return  # its claim ends soon
            try:
                report.charged += see_to(every.within(bill.tenant), bill)
            except BillClosed:
                pass  # it was paid, or is asked for otherwise, since it was claimed
            except TollgateError as error:  # one bill holds up no other
                log("bill.troubled", bill_id=bill.id, code=error.code)
                report.troubled.append(bill.id)
                now = every.now()
                bills.plan_step(every.database, bill, now + LOOK_AGAIN, now)
            reach(CrashPoint.RENEW_SEEN_TO)
            report.seen_to += 1
