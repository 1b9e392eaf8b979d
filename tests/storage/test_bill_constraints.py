"""What the schema refuses of bills and of the payments that pay them, whoever writes."""

import psycopg
import pytest

from tests.world import World


@pytest.fixture
def bill(world: World) -> str:
    """The id of an open bill of client-1 for 1,500.00 KES."""
    body = {"client_id": "client-1", "plan": "monthly"}
    assert world.call("subscriptions/create", body=body).status == 201
    ((bill_id,),) = world.rows("SELECT id FROM bills")
    return str(bill_id)


def run(world: World, sql: str, *parameters: object) -> None:
    with psycopg.connect(world.stores.owner_url) as connection:
        connection.execute(sql.encode(), parameters)


def refused(world: World, sql: str, *parameters: object) -> str:
    """The constraint that refuses it, or what the trigger says."""
    with pytest.raises(psycopg.errors.IntegrityError) as caught:
        run(world, sql, *parameters)
    return caught.value.diag.constraint_name or str(caught.value.diag.message_primary)


def pay(world: World, bill: str, name: str = "pay_1", **other: str) -> str:
    """The SQL of a payment of this bill, as that asks for unless told otherwise."""
    told = {
        "id": f"'{name}'",
        "app_id": f"'{world.app.id}'",
        "client_id": "'client-1'",
        "idempotency_key": f"'{name}'",
        "amount_minor": "150000",
        "currency": "'KES'",
        "status": "'pending'",
        "psp": "'stripe'",
        "livemode": "false",
        "plan": "'monthly'",
        "product": "'pro'",
        "created_at": "now()",
        "updated_at": "now()",
        "expires_at": "now()",
        "bill_id": f"'{bill}'",
        **other,
    }
    return f"INSERT INTO payments ({', '.join(told)}) VALUES ({', '.join(told.values())})"


class TestPayments:
    def test_as_the_bill_asks_is_taken(self, world: World, bill: str) -> None:
        run(world, pay(world, bill))
        assert world.rows("SELECT bill_id FROM payments") == [(bill,)]

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("amount_minor", "149999"),
            ("amount_minor", "150001"),
            ("currency", "'USD'"),
            ("client_id", "'client-2'"),
            ("plan", "'other'"),
            ("plan", "NULL"),
        ],
    )
    def test_of_something_else_is_refused(
        self, world: World, bill: str, column: str, value: str
    ) -> None:
        assert refused(world, pay(world, bill, **{column: value})) == "payment_is_of_its_bill"

    @pytest.mark.parametrize("status", ["void", "paid"])
    def test_of_a_closed_bill_is_refused(self, world: World, bill: str, status: str) -> None:
        run(world, "UPDATE bills SET status = %s, next_step_at = NULL", status)
        assert refused(world, pay(world, bill)) == "payment_is_of_its_bill"

    def test_of_no_bill_is_refused(self, world: World, bill: str) -> None:
        assert refused(world, pay(world, "bil_none")) == "payment_is_of_its_bill"

    def test_of_another_apps_bill_is_refused(self, world: World, bill: str) -> None:
        other = f"'{world.other_app.id}'"
        assert refused(world, pay(world, bill, app_id=other)) == "payments_bill_of_app"

    @pytest.mark.parametrize("status", ["pending", "requires_action", "processing", "authorized"])
    def test_beside_an_open_one_is_refused(self, world: World, bill: str, status: str) -> None:
        run(world, pay(world, bill))
        if status != "pending":
            run(world, "UPDATE payments SET status = %s, version = version + 1", status)
        assert refused(world, pay(world, bill, "pay_2")) == "one_open_payment_per_bill"

    def test_after_one_that_failed_is_taken(self, world: World, bill: str) -> None:
        run(world, pay(world, bill))
        run(world, "UPDATE payments SET status = 'failed', version = version + 1")
        run(world, pay(world, bill, "pay_2"))

    @pytest.mark.parametrize("other", ["NULL", "'bil_other'"])
    def test_keeps_its_bill(self, world: World, bill: str, other: str) -> None:
        run(world, pay(world, bill))
        message = refused(world, f"UPDATE payments SET bill_id = {other}")
        assert message == "which bill a payment is to pay is fixed for life"

    def test_can_be_of_none(self, world: World, bill: str) -> None:
        run(world, pay(world, bill, bill_id="NULL", amount_minor="7", plan="NULL", product="NULL"))
        message = refused(world, "UPDATE payments SET bill_id = %s", bill)
        assert message == "which bill a payment is to pay is fixed for life"


class TestBills:
    @pytest.mark.parametrize(
        ("before", "after"),
        [("paid", "open"), ("paid", "void")],
    )
    def test_that_is_paid_stays_so(self, world: World, bill: str, before: str, after: str) -> None:
        run(world, "UPDATE bills SET status = %s, next_step_at = NULL", before)
        message = refused(world, "UPDATE bills SET status = %s", after)
        assert message == f"a bill does not move from {before} to {after}"

    @pytest.mark.parametrize("way", ["open paid", "open void", "open void open", "open void paid"])
    def test_moves_on_these_ways(self, world: World, bill: str, way: str) -> None:
        for status in way.split()[1:]:
            run(world, "UPDATE bills SET status = %s, next_step_at = NULL", status)

    @pytest.mark.parametrize(
        "assignment",
        [
            "id = 'bil_2'",
            "client_id = 'client-2'",
            "subscription_id = 'sub_2'",
            "kind = 'change'",
            "due_at = due_at + interval '1 second'",
            "product = 'other'",
            "livemode = true",
            "app_id = 'app_2'",
        ],
    )
    @pytest.mark.parametrize("status", ["open", "paid", "void"])
    def test_is_for_the_same_for_ever(
        self, world: World, bill: str, status: str, assignment: str
    ) -> None:
        run(world, "UPDATE bills SET status = %s, next_step_at = NULL", status)
        message = refused(world, f"UPDATE bills SET {assignment}")
        assert message == "what a bill is for is fixed while it counts"

    @pytest.mark.parametrize(
        "assignment",
        ["plan = 'other'", "amount_minor = 1", "price_minor = 999999", "currency = 'USD'"],
    )
    def test_asks_for_the_same_while_it_counts(
        self, world: World, bill: str, assignment: str
    ) -> None:
        for status in ("open", "paid"):
            run(world, "UPDATE bills SET status = %s, next_step_at = NULL", status)
            message = refused(world, f"UPDATE bills SET {assignment}")
            assert message == "what a bill is for is fixed while it counts"

    def test_may_ask_for_something_else_once_it_is_void(self, world: World, bill: str) -> None:
        run(world, "UPDATE bills SET status = 'void', next_step_at = NULL")
        run(world, "UPDATE bills SET status = 'open', amount_minor = 1, price_minor = 2")

    @pytest.mark.parametrize("status", ["paid", "void"])
    def test_that_is_closed_is_seen_to_by_nobody(
        self, world: World, bill: str, status: str
    ) -> None:
        constraint = refused(world, "UPDATE bills SET status = %s, next_step_at = now()", status)
        assert constraint == "only_an_open_bill_is_seen_to"

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("kind", "'gift'"),
            ("status", "'draft'"),
            ("amount_minor", "0"),
            ("price_minor", "149999"),
            ("currency", "'kes'"),
            ("livemode", "true"),
            ("id", "'pay_1'"),
        ],
    )
    def test_of_no_sense_is_refused(self, world: World, bill: str, column: str, value: str) -> None:
        assert refused(world, _another(column, value))

    def test_is_one_for_a_period_and_one_at_a_time(self, world: World, bill: str) -> None:
        assert refused(world, _another("status", "'void'")) == "one_bill_for_one_period"
        another_day = _another("due_at", "due_at + interval '1 day'")
        assert refused(world, another_day) == "one_open_bill"
        run(world, "UPDATE bills SET status = 'void', next_step_at = NULL")
        run(world, another_day)

    def test_of_two_kinds_may_be_due_at_once(self, world: World, bill: str) -> None:
        run(world, "UPDATE bills SET status = 'void', next_step_at = NULL")
        run(world, _another("kind", "'change'"))
        assert world.rows("SELECT count(DISTINCT due_at), count(*) FROM bills") == [(1, 2)]


def test_a_plan_is_not_asked_for_in_nonsense(world: World) -> None:
    for assignment, constraint in {
        "renewal_lead_days = 61": "renewal_lead_is_short",
        "renewal_lead_days = -1": "renewal_lead_is_short",
        "dunning_days = '{61}'": "dunning_ends",
        "dunning_days = '{-1}'": "dunning_ends",
        "dunning_days = '{1,2,3,4,5,6,7,8,9,10,11}'": "dunning_ends",
        "proration = 'refund'": "proration_is_one",
    }.items():
        assert refused(world, f"UPDATE plans SET {assignment}") == constraint
    for assignment in ("dunning_days = '{}'", "renewal_lead_days = 0", "dunning_days = '{0,60}'"):
        run(world, f"UPDATE plans SET {assignment}")


_COLUMNS = """
    app_id client_id subscription_id kind due_at plan product amount_minor price_minor currency
    livemode status opened_at closes_at updated_at"""


def _another(column: str, value: str) -> str:
    """The SQL of a bill like the one that is there, but for this column."""
    told = {
        "id": "'bil_2'",
        **{name: name for name in _COLUMNS.split()},
        column: value,
    }
    return f"INSERT INTO bills ({', '.join(told)}) SELECT {', '.join(told.values())} FROM bills"
