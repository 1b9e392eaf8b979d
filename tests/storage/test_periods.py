"""Periods with the plan whose time they hold, and when the next bill opens beside another one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.storage.conftest import Owner, Write
from tests.world import World
from tollgate.domain.principal import EVERY_TENANT
from tollgate.domain.reversal import Worth
from tollgate.storage import bills, periods
from tollgate.storage.database import Database

FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)
BACK = '{"reason": "disputed", "rule": "end_now", "rest_seconds": 86400, "cancels": false}'


@pytest.fixture
def database(world: World) -> Database:
    return world.context.within(EVERY_TENANT).database


class TestPlan:
    def test_is_the_payments_until_another_is_written(
        self, database: Database, period: Write
    ) -> None:
        period()
        given = periods.find_given(database, "pay_1")
        assert given is not None and given.period.plan is None
        changed = replace(given.period, plan="monthly", worth=Worth(1, 2))
        periods.save_period(database, changed)
        assert periods.find_given(database, "pay_1") == replace(given, period=changed)
        assert periods.list_ending_after(database, "sub_1", FEBRUARY) == [changed]
        assert periods.list_after(database, "sub_1", FEBRUARY) == [changed]

    @pytest.mark.parametrize("plan", ["unknown", "theirs"])
    def test_is_one_of_the_app(self, world: World, owner: Owner, period: Write, plan: str) -> None:
        owner.execute(
            """INSERT INTO plans (app_id, code, product, interval_unit, interval_count, trial_days,
                                  grace_days, created_at)
               SELECT %s, 'theirs', product, interval_unit, interval_count, 0, 0, created_at
               FROM plans WHERE app_id = %s""",
            [world.other_app.id, world.app.id],
        )
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as violation:
            period(plan=plan)
        assert violation.value.diag.constraint_name == "periods_plan_of_app"

    def test_was_looked_at_in_every_row(self, owner: Owner) -> None:
        validated = "SELECT convalidated FROM pg_constraint WHERE conname = 'periods_plan_of_app'"
        assert owner.execute(validated).fetchall() == [(True,)]


def test_one_that_was_taken_back_comes_before_what_begins_where_it_stood(
    database: Database, owner: Owner, period: Write
) -> None:
    """Wherever the rows lie: the other begins anew behind what comes before it."""
    owner.execute("DROP INDEX periods_of_subscription")  # which has them in order by itself
    period(payment_id="pay_2", ends_at=FEBRUARY + 20 * DAY)
    period(ends_at=FEBRUARY, reversal=BACK)
    for touched in ("pay_1", "pay_2"):
        owner.execute(
            "UPDATE subscription_periods SET created_at = now() WHERE payment_id = %s", [touched]
        )
        listed = periods.list_ending_after(database, "sub_1", FEBRUARY - DAY)
        assert [each.payment_id for each in listed] == ["pay_1", "pay_2"]


class TestRenewAfter:
    @pytest.fixture
    def opens(self, database: Database, owner: Owner, subscription: Write) -> None:
        """Paid until 20 February, so the next bill opens three days before."""
        end = FEBRUARY + 20 * DAY
        subscription(paid_through=end, grace_until=end)

    @staticmethod
    def opens_at(world: World) -> object:
        ((opens_at,),) = world.rows("SELECT bill_opens_at FROM subscriptions WHERE id = 'sub_1'")
        return opens_at

    @pytest.mark.parametrize(("day", "expected"), [(0, 17), (17, 17), (18, 18), (30, 30)])
    def test_in_its_time_and_not_before(
        self, world: World, database: Database, opens: None, day: int, expected: int
    ) -> None:
        for _ in range(2):
            bills.renew_after(database, "sub_1", FEBRUARY + day * DAY)
            assert self.opens_at(world) == FEBRUARY + expected * DAY
            bills.postpone_bills(database, ["sub_1"], None)  # as when one is open

    @pytest.mark.parametrize(
        "change", ["cancel_at = paid_through", "paused_at = now()", "ended_by = 'refunded'"]
    )
    def test_never_where_none_is_wanted(
        self, world: World, database: Database, owner: Owner, opens: None, change: str
    ) -> None:
        owner.execute(f"UPDATE subscriptions SET {change}".encode())
        bills.renew_after(database, "sub_1", FEBRUARY)
        assert self.opens_at(world) is None

    def test_of_one_alone(
        self, world: World, database: Database, subscription: Write, opens: None
    ) -> None:
        bills.renew_after(database, "sub_2", FEBRUARY + 30 * DAY)
        assert self.opens_at(world) == FEBRUARY + 17 * DAY
