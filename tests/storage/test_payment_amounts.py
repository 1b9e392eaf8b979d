"""0 <= refunded <= captured <= asked, and a payment's state says the same as its amounts."""

import psycopg
import pytest
from psycopg.errors import CheckViolation

from tests.storage.conftest import Owner
from tests.storage.money_rows import AT, MoneyRows
from tollgate.domain.payment import OPEN, UNPAID, PaymentStatus


def refused(name: str | None, money: MoneyRows, **values: object) -> None:
    """The constraint of this name (None: the trigger) refuses these values of pay_1."""
    with pytest.raises(CheckViolation) as violation:
        money.change("payments", "pay_1", **values)
    assert violation.value.diag.constraint_name == name


@pytest.mark.parametrize("captured", [-1, 101, 2**62])
def test_no_more_is_taken_than_was_asked(money: MoneyRows, captured: int) -> None:
    money.payment()
    refused("captured_within_amount", money, status="needs_review", amount_captured_minor=captured)
    money.pay(captured_minor=100)


@pytest.mark.parametrize("capture", [0, -1, 101])
def test_no_more_is_asked_for_than_is_authorized(money: MoneyRows, capture: int) -> None:
    money.payment()
    refused("capture_within_amount", money, status="authorized", capture_amount_minor=capture)
    money.change("payments", "pay_1", status="authorized", capture_amount_minor=100)


@pytest.mark.parametrize("refunded", [-1, 41])
def test_no_more_goes_back_than_was_taken(money: MoneyRows, refunded: int) -> None:
    money.payment()
    money.pay(captured_minor=40)
    refused("refunded_within_captured", money, status="disputed", amount_refunded_minor=refunded)


@pytest.mark.parametrize("status", sorted(OPEN - {PaymentStatus.PENDING} | UNPAID))
def test_what_is_not_paid_has_taken_nothing(money: MoneyRows, status: PaymentStatus) -> None:
    money.payment()
    refused("state_says_what_was_taken", money, status=status.value, amount_captured_minor=1)
    money.change("payments", "pay_1", status=status.value)


def test_pending_too(money: MoneyRows) -> None:
    with pytest.raises(CheckViolation) as violation:
        money.payment(amount_captured_minor=1)
    assert violation.value.diag.constraint_name == "state_says_what_was_taken"


@pytest.mark.parametrize("status", ["succeeded", "partially_refunded", "refunded", "disputed"])
def test_what_is_paid_has_taken_something(money: MoneyRows, status: str) -> None:
    money.payment()
    money.change("payments", "pay_1", status="needs_review")
    if status == "succeeded":  # as functions of the release before write it
        money.change("payments", "pay_1", status=status)
        assert ("capture", "psp", 100, "KES") in money.postings()
    elif status in ("partially_refunded", "refunded"):
        with pytest.raises(CheckViolation):
            money.change("payments", "pay_1", status=status)
    else:
        refused("state_says_what_was_taken", money, status=status)


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        ("succeeded", 1),
        ("partially_refunded", 0),
        ("partially_refunded", 100),
        ("refunded", 0),
        ("refunded", 99),
    ],
)
def test_the_state_says_what_went_back(money: MoneyRows, status: str, wrong: int) -> None:
    money.paid()
    money.change("payments", "pay_1", status="disputed")
    refused("state_says_what_went_back", money, status=status, amount_refunded_minor=wrong)


@pytest.mark.parametrize("captured", [1, 99, 0])
def test_what_was_taken_is_fixed_for_life(money: MoneyRows, captured: int) -> None:
    money.paid()
    with pytest.raises(CheckViolation, match="fixed for life"):
        money.change("payments", "pay_1", amount_captured_minor=captured)


@pytest.mark.parametrize(
    "fee",
    [
        {"fee_minor": 8},
        {"fee_currency": "USD"},
        {"fee_minor": None, "fee_currency": None},
    ],
)
def test_the_fee_is_fixed_for_life(money: MoneyRows, fee: dict[str, object]) -> None:
    money.payment()
    money.pay(fee_minor=7, fee_currency="KES")
    with pytest.raises(CheckViolation, match="fixed for life"):
        money.change("payments", "pay_1", **fee)
    money.change("payments", "pay_1", fee_minor=7, fee_currency="KES")


@pytest.mark.parametrize("fee", [{"fee_minor": 7}, {"fee_currency": "KES"}])
def test_a_fee_has_a_currency(money: MoneyRows, fee: dict[str, object]) -> None:
    money.paid()
    refused("fee_has_a_currency", money, **fee)


def test_the_currency_is_fixed_for_life(money: MoneyRows) -> None:
    money.paid()
    with pytest.raises(CheckViolation, match="fixed for life"):
        money.change("payments", "pay_1", currency="UGX")


@pytest.mark.parametrize("capture", ["", "later", "AUTOMATIC"])
def test_it_is_captured_in_one_of_two_ways(money: MoneyRows, capture: str) -> None:
    with pytest.raises(CheckViolation) as violation:
        money.payment(capture=capture)
    assert violation.value.diag.constraint_name == "capture_is_one"
    money.payment(capture="manual")


class TestRefundsAddUp:
    """At commit: inside a transaction the two are written one after the other."""

    @staticmethod
    def refused_at_commit(money: MoneyRows, *statements: str) -> None:
        with pytest.raises(CheckViolation) as violation, money.connection.transaction():
            for statement in statements:
                money.connection.execute(statement.encode())
        assert violation.value.diag.constraint_name == "refunds_add_up"

    def test_a_refund_that_the_payment_does_not_tell_of(self, money: MoneyRows) -> None:
        money.paid()
        money.refund()
        self.refused_at_commit(money, "UPDATE refunds SET status = 'succeeded'")

    def test_one_that_the_psp_tells_of_first(self, money: MoneyRows) -> None:
        money.paid()
        with pytest.raises(CheckViolation) as violation:
            money.refund(status="succeeded", idempotency_key=None)
        assert violation.value.diag.constraint_name == "refunds_add_up"

    def test_a_payment_whose_refunds_do_not_tell_of_it(self, money: MoneyRows) -> None:
        money.paid()
        money.refund()
        self.refused_at_commit(
            money,
            "UPDATE payments SET status = 'partially_refunded', amount_refunded_minor = 40",
        )

    @pytest.mark.parametrize("told", [39, 41])
    def test_a_sum_that_is_not_right(self, money: MoneyRows, told: int) -> None:
        money.paid()
        money.refund()
        self.refused_at_commit(
            money,
            f"UPDATE payments SET status = 'partially_refunded', amount_refunded_minor = {told}",
            "UPDATE refunds SET status = 'succeeded'",
        )

    def test_a_refund_that_failed_and_still_counts(self, money: MoneyRows) -> None:
        money.paid()
        money.refund()
        money.move_refund("ref_1", "succeeded")
        self.refused_at_commit(money, "UPDATE refunds SET status = 'failed'")
        money.move_refund("ref_1", "failed")

    def test_either_may_be_written_first(self, money: MoneyRows) -> None:
        money.paid()
        money.refund()
        with money.connection.transaction():
            money.change("payments", "pay_1", status="partially_refunded", amount_refunded_minor=40)
            money.change("refunds", "ref_1", status="succeeded")
        money.move_refund("ref_1", "failed")
        assert money.balances() == {("psp", "KES"): 100, ("app", "KES"): -100}

    def test_another_payments_refunds_are_not_counted(self, money: MoneyRows) -> None:
        for number in ("1", "2"):
            money.paid(id=f"pay_{number}")
            money.refund(id=f"ref_{number}", payment_id=f"pay_{number}")
            money.move_refund(f"ref_{number}", "succeeded")
        money.refund(id="ref_3", payment_id="pay_2", amount_minor=1)
        self.refused_at_commit(
            money,
            "UPDATE refunds SET status = 'succeeded' WHERE id = 'ref_3'",
            "UPDATE payments SET amount_refunded_minor = 41 WHERE id = 'pay_1'",
        )


class TestPeriods:
    """The time that a payment gave: it runs forward, unless all of it was taken back."""

    @pytest.fixture
    def given(self, money: MoneyRows, owner: Owner) -> Owner:
        owner.execute(
            """INSERT INTO clients (app_id, client_id, created_at)
               VALUES (%(app)s, 'client-1', %(at)s)""",
            {"app": money.app_id, "at": AT},
        )
        owner.execute(
            """INSERT INTO subscriptions (id, app_id, client_id, product, plan, livemode,
                                          created_at, updated_at)
               VALUES ('sub_1', %(app)s, 'client-1', 'pro', 'monthly', false, %(at)s, %(at)s)""",
            {"app": money.app_id, "at": AT},
        )
        for number, month in ((1, 2), (2, 3)):
            money.payment(id=f"pay_{number}")
            owner.execute(
                """INSERT INTO subscription_periods (payment_id, subscription_id, app_id,
                                                     starts_at, ends_at, created_at)
                   VALUES (%s, 'sub_1', %s, make_timestamptz(2026, %s, 1, 0, 0, 0, 'UTC'),
                           make_timestamptz(2026, %s, 1, 0, 0, 0, 'UTC'), %s)""",
                [f"pay_{number}", money.app_id, month, month + 1, AT],
            )
        return owner

    @staticmethod
    def change(owner: Owner, change: str) -> None:
        owner.execute(
            f"UPDATE subscription_periods SET {change} WHERE payment_id = 'pay_1'".encode()
        )

    @pytest.mark.parametrize(
        "change",
        [
            "ends_at = starts_at",
            "ends_at = starts_at - interval '1 us'",
            "ends_at = starts_at - interval '1 us', reversal = '{}'",
        ],
    )
    def test_run_forward(self, given: Owner, change: str) -> None:
        with pytest.raises(CheckViolation) as violation:
            self.change(given, change)
        assert violation.value.diag.constraint_name == "periods_run_forward"

    def test_may_be_empty_once_it_is_reversed(self, given: Owner) -> None:
        self.change(given, "ends_at = starts_at, reversal = '{}'")
        with pytest.raises(CheckViolation):
            self.change(given, "reversal = NULL")
        # and an empty one takes no instant from another
        given.execute(
            """UPDATE subscription_periods SET starts_at = '2026-01-15T00:00:00Z',
                                               ends_at = '2026-02-15T00:00:00Z'
               WHERE payment_id = 'pay_2'"""
        )

    def test_do_not_overlap_when_one_moves(self, given: Owner) -> None:
        with pytest.raises(psycopg.errors.ExclusionViolation) as violation:
            self.change(given, "ends_at = ends_at + interval '1 us'")
        assert violation.value.diag.constraint_name == "no_instant_is_given_twice"

    @pytest.mark.parametrize("reason", ["paid", "expired", ""])
    def test_a_subscription_ended_by_money_that_went_back(self, given: Owner, reason: str) -> None:
        for known in ("refunded", "disputed"):
            given.execute("UPDATE subscriptions SET ended_by = %s", [known])
        with pytest.raises(CheckViolation):
            given.execute("UPDATE subscriptions SET ended_by = %s", [reason])

    @pytest.mark.parametrize("rule", ["later", "END_NOW", ""])
    def test_a_plan_has_one_of_three_rules(self, given: Owner, rule: str) -> None:
        assert given.execute("SELECT DISTINCT refund_rule FROM plans").fetchall() == [("end_now",)]
        for known in ("period_end", "never", "end_now"):
            given.execute("UPDATE plans SET refund_rule = %s", [known])
        with pytest.raises(CheckViolation):
            given.execute("UPDATE plans SET refund_rule = %s", [rule])
