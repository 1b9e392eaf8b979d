"""No more goes back than was taken, whoever asks at once; refunds and disputes keep their edges."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import psycopg
import pytest
from psycopg.errors import CheckViolation, ForeignKeyViolation, IntegrityError, UniqueViolation

from tests.storage.conftest import Owner
from tests.storage.money_rows import MoneyRows
from tests.world import World
from tollgate.domain.dispute import DISPUTE_EDGES, DisputeStatus
from tollgate.domain.refund import REFUND_EDGES, RefundStatus


def refused(name: str | None, money: MoneyRows, **row: object) -> None:
    """The constraint of this name refuses such a refund."""
    with pytest.raises(IntegrityError) as violation:
        money.refund(**row)
    assert violation.value.diag.constraint_name == name


class TestAsking:
    def test_for_all_of_it_in_parts_and_no_more(self, money: MoneyRows) -> None:
        money.payment()
        money.pay(captured_minor=90)
        refused("refunds_within_captured", money, amount_minor=91)
        money.refund()
        refused("refunds_within_captured", money, id="ref_2", amount_minor=51)
        money.refund(id="ref_2", amount_minor=50)
        refused("refunds_within_captured", money, id="ref_3", amount_minor=1)

    def test_what_succeeded_counts_and_what_failed_does_not(self, money: MoneyRows) -> None:
        money.paid()
        money.refund()
        money.move_refund("ref_1", "succeeded")
        refused("refunds_within_captured", money, id="ref_2", amount_minor=61)
        money.move_refund("ref_1", "failed")
        money.refund(id="ref_2", amount_minor=100)

    def test_another_payments_refunds_do_not_count(self, money: MoneyRows) -> None:
        money.paid()
        money.paid(id="pay_2")
        money.refund(amount_minor=100)
        money.refund(id="ref_2", payment_id="pay_2", amount_minor=100)

    @pytest.mark.parametrize(
        "status",
        ["pending", "requires_action", "processing", "authorized", "failed", "needs_review"],
    )
    def test_of_what_is_not_paid(self, money: MoneyRows, status: str) -> None:
        money.payment()
        if status != "pending":
            money.change("payments", "pay_1", status=status)
        refused("refunds_within_captured", money, amount_minor=1)

    @pytest.mark.parametrize("status", ["disputed", "needs_review"])
    def test_of_what_is_disputed_or_looked_at(self, money: MoneyRows, status: str) -> None:
        money.paid()
        money.change("payments", "pay_1", status=status)
        refused("refunds_within_captured", money)

    def test_in_another_currency_or_of_another_psp(self, money: MoneyRows) -> None:
        money.paid()
        for other in ({"currency": "UGX"}, {"psp": "paypal"}):
            for key in ("k", None):
                refused("refund_is_of_its_payment", money, **other, idempotency_key=key)

    @pytest.mark.parametrize("status", ["succeeded", "failed"])
    def test_begins_as_pending(self, money: MoneyRows, status: str) -> None:
        money.paid()
        refused("refunds_within_captured", money, status=status)
        money.refund(status="failed", idempotency_key=None)  # of which a PSP tells

    def test_once_for_a_key_of_an_app(self, world: World, owner: Owner, money: MoneyRows) -> None:
        money.paid()
        money.refund(idempotency_key="k")
        refused("one_refund_per_idempotency_key", money, id="ref_2", idempotency_key="k")
        other = MoneyRows(owner, world.other_app.id)
        other.paid(id="pay_2")
        other.refund(id="ref_2", payment_id="pay_2", idempotency_key="k")

    def test_once_for_a_reference_of_a_psp(self, money: MoneyRows) -> None:
        money.paid()
        money.refund(psp_reference="re_1")
        refused("one_refund_per_psp_reference", money, id="ref_2", psp_reference="re_1")
        money.refund(id="ref_2")
        money.refund(id="ref_3", amount_minor=1)  # several that no PSP has spoken of

    @pytest.mark.parametrize(
        "row",
        [
            {"id": "1"},
            {"id": "dis_1"},
            {"amount_minor": 0},
            {"amount_minor": -1},
            {"status": "canceled"},
            {"currency": "kes"},
        ],
    )
    def test_values_that_no_refund_has(self, money: MoneyRows, row: dict[str, object]) -> None:
        money.paid()
        with pytest.raises(CheckViolation):
            money.refund(**{"idempotency_key": None, **row})

    def test_of_a_payment_of_the_same_app(
        self, world: World, owner: Owner, money: MoneyRows
    ) -> None:
        money.paid()
        other = MoneyRows(owner, world.other_app.id)
        for write in (other.refund, other.dispute):
            with pytest.raises(ForeignKeyViolation):
                write()
        with pytest.raises((ForeignKeyViolation, CheckViolation)):
            money.refund(payment_id="pay_0")


class TestAtOnce:
    """Two connections, each with its own transaction, and real row locks."""

    def test_the_second_waits_for_the_first_and_sees_it(
        self, world: World, money: MoneyRows
    ) -> None:
        money.paid()
        url = world.stores.owner_url
        with psycopg.connect(url) as one, psycopg.connect(url) as two, ThreadPoolExecutor() as pool:
            MoneyRows(one, money.app_id).refund(amount_minor=60)
            second = pool.submit(
                refused,
                "refunds_within_captured",
                MoneyRows(two, money.app_id),
                id="ref_2",
                amount_minor=60,
            )
            self.wait_until_blocked(money, two.info.backend_pid)
            one.commit()
            second.result(timeout=10)

    def test_the_second_goes_on_when_the_first_gives_up(
        self, world: World, money: MoneyRows
    ) -> None:
        money.paid()
        url = world.stores.owner_url
        with psycopg.connect(url) as one, psycopg.connect(url) as two, ThreadPoolExecutor() as pool:
            MoneyRows(one, money.app_id).refund(amount_minor=60)
            rows = MoneyRows(two, money.app_id)
            second = pool.submit(rows.refund, id="ref_2", amount_minor=60)
            self.wait_until_blocked(money, two.info.backend_pid)
            one.rollback()
            second.result(timeout=10)

    def test_of_many_as_many_as_there_is_money_for(self, world: World, money: MoneyRows) -> None:
        money.paid()
        start = threading.Barrier(8)

        def ask(number: int) -> bool:
            with psycopg.connect(world.stores.owner_url, autocommit=True) as connection:
                start.wait()
                try:
                    MoneyRows(connection, money.app_id).refund(id=f"ref_{number}", amount_minor=30)
                except CheckViolation as violation:
                    assert violation.diag.constraint_name == "refunds_within_captured"
                    return False
                return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(ask, range(8))) == 3
        ((reserved,),) = world.rows("SELECT sum(amount_minor) FROM refunds")
        assert reserved == 90

    @staticmethod
    def wait_until_blocked(money: MoneyRows, pid: int) -> None:
        """Until that connection waits for another's lock."""
        for _ in range(1_000):
            row = money.connection.execute(
                "SELECT cardinality(pg_blocking_pids(%s)), pg_sleep(0.01)", [pid]
            ).fetchone()
            if row is not None and row[0]:
                return
        raise AssertionError("it does not wait")


REFUND_MOVES = list(permutations(RefundStatus, 2))


@pytest.mark.parametrize(("before", "after"), REFUND_MOVES)
def test_a_refund_moves_along_its_edges(
    money: MoneyRows, before: RefundStatus, after: RefundStatus
) -> None:
    money.paid()
    money.refund()
    if before is not RefundStatus.PENDING:
        money.move_refund("ref_1", before.value)
    money.change("refunds", "ref_1", status=before.value)  # stays
    if after in REFUND_EDGES[before]:
        money.move_refund("ref_1", after.value)
    else:
        with pytest.raises(CheckViolation, match="does not move"):
            money.move_refund("ref_1", after.value)


@pytest.mark.parametrize(("before", "after"), list(permutations(DisputeStatus, 2)))
def test_a_dispute_may_be_decided_and_decided_again(
    money: MoneyRows, before: DisputeStatus, after: DisputeStatus
) -> None:
    money.paid()
    money.dispute(status=before.value)
    money.change("disputes", "dis_1", status=after.value)
    assert after in DISPUTE_EDGES[before]


FIXED = {
    "refunds": {
        "id": "ref_9",
        "app_id": "app_9",
        "payment_id": "pay_2",
        "psp": "paypal",
        "amount_minor": 1,
        "currency": "UGX",
        "idempotency_key": "k-9",
        "request_sha256": bytes(32),
        "created_at": "2027-01-31T09:00:00Z",
        "psp_reference": "re_9",
    },
    "disputes": {
        "id": "dis_9",
        "app_id": "app_9",
        "payment_id": "pay_2",
        "psp": "paypal",
        "psp_reference": "dp_9",
        "amount_minor": 1,
        "currency": "UGX",
        "created_at": "2027-01-31T09:00:00Z",
    },
}


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table in FIXED for column in FIXED[table]]
)
def test_what_it_is_of_is_fixed_for_life(money: MoneyRows, table: str, column: str) -> None:
    money.paid()
    money.paid(id="pay_2")
    money.refund(id="ref_1", psp_reference="re_1")
    money.dispute()
    row_id = {"refunds": "ref_1", "disputes": "dis_1"}[table]
    with pytest.raises(CheckViolation, match="fixed for life"):
        money.change(table, row_id, **{column: FIXED[table][column]})


def test_a_refund_learns_its_psp_reference_once(money: MoneyRows) -> None:
    money.paid()
    money.refund()
    money.change("refunds", "ref_1", psp_reference="re_1")
    money.change("refunds", "ref_1", psp_reference="re_1")
    for other in ("re_2", None):
        with pytest.raises(CheckViolation, match="fixed for life"):
            money.change("refunds", "ref_1", psp_reference=other)


class TestDisputes:
    def test_one_for_a_reference_of_a_psp(self, money: MoneyRows) -> None:
        money.paid()
        money.paid(id="pay_2")
        money.dispute()
        again = {"id": "dis_2", "psp_reference": "dp of dis_1"}
        with pytest.raises(UniqueViolation) as violation:
            money.dispute(**again, payment_id="pay_2", status="won")
        assert violation.value.diag.constraint_name == "one_dispute_per_psp_reference"
        money.dispute(id="dis_2")
        money.dispute(id="dis_3", psp="paypal", psp_reference="dp of dis_1")

    @pytest.mark.parametrize(
        "row",
        [{"id": "1"}, {"id": "ref_1"}, {"amount_minor": 0}, {"status": "x"}, {"currency": "kes"}],
    )
    def test_values_that_no_dispute_has(self, money: MoneyRows, row: dict[str, object]) -> None:
        money.paid()
        with pytest.raises(CheckViolation):
            money.dispute(**row)


def test_a_key_is_of_a_refund_of_the_same_app(world: World, owner: Owner, money: MoneyRows) -> None:
    money.paid()
    money.refund()
    other = MoneyRows(owner, world.other_app.id)
    other.paid(id="pay_2")
    insert = """INSERT INTO idempotency_keys (app_id, key, request_sha256, payment_id, refund_id,
                                              locked_until, created_at)
                VALUES (%s, 'k', sha256('x'), %s, 'ref_1', now(), now())"""
    with pytest.raises(ForeignKeyViolation) as violation:
        owner.execute(insert, [other.app_id, "pay_2"])
    assert violation.value.diag.constraint_name == "idempotency_keys_refund_of_app"
    owner.execute(insert, [money.app_id, "pay_1"])
