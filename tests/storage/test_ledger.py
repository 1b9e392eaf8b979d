"""The books follow from the state of payments, refunds and disputes, and from nothing else."""

from collections.abc import Callable
from functools import partial
from random import Random

import psycopg
import pytest
from psycopg.errors import CheckViolation, InsufficientPrivilege, UniqueViolation

from local.databases import seeing_all
from tests.storage.conftest import Owner
from tests.storage.money_rows import MoneyRows, Posting
from tests.world import World


def transfer(kind: str, giver: str, taker: str, amount: int, currency: str) -> list[Posting]:
    return [(kind, giver, -amount, currency), (kind, taker, amount, currency)]


class TestEachMove:
    def posted(self, money: MoneyRows, move: Callable[[], None]) -> list[Posting]:
        before = len(money.postings())
        move()
        return money.postings()[before:]

    def test_nothing_is_posted_before_it_is_paid(self, money: MoneyRows) -> None:
        money.payment()
        for status in ("requires_action", "processing", "authorized", "failed"):
            money.change("payments", "pay_1", status=status)
        assert money.postings() == []

    @pytest.mark.parametrize("captured", [1, 100])
    def test_what_is_taken(self, money: MoneyRows, captured: int) -> None:
        money.payment()
        assert self.posted(money, lambda: money.pay(captured_minor=captured)) == transfer(
            "capture", "app", "psp", captured, "KES"
        )

    def test_the_fee_with_it_in_its_own_currency(self, money: MoneyRows) -> None:
        money.payment()
        posted = self.posted(money, lambda: money.pay(fee_minor=7, fee_currency="USD"))
        assert posted == transfer("capture", "app", "psp", 100, "KES") + transfer(
            "fee", "psp", "fees", 7, "USD"
        )

    def test_the_fee_that_is_learnt_later(self, money: MoneyRows) -> None:
        money.paid()
        later = {"fee_minor": 7, "fee_currency": "KES"}
        posted = self.posted(money, lambda: money.change("payments", "pay_1", **later))
        assert posted == transfer("fee", "psp", "fees", 7, "KES")
        assert self.posted(money, lambda: money.change("payments", "pay_1", **later)) == []

    def test_the_fee_that_was_known_before_is_posted_once(self, money: MoneyRows) -> None:
        money.payment()
        fee = {"status": "needs_review", "fee_minor": 7, "fee_currency": "KES"}
        posted = self.posted(money, lambda: money.change("payments", "pay_1", **fee))
        assert posted == transfer("fee", "psp", "fees", 7, "KES")
        assert self.posted(money, money.pay) == transfer("capture", "app", "psp", 100, "KES")

    def test_a_fee_of_nothing(self, money: MoneyRows) -> None:
        money.paid()
        free = {"fee_minor": 0, "fee_currency": "KES"}
        assert self.posted(money, lambda: money.change("payments", "pay_1", **free)) == []

    def test_a_refund_that_comes_and_goes(self, money: MoneyRows) -> None:
        money.paid()
        assert self.posted(money, money.refund) == []
        goes = transfer("refund", "psp", "app", 40, "KES")
        comes = transfer("refund_reversal", "app", "psp", 40, "KES")
        for status, posted in (
            ("succeeded", goes),
            ("failed", comes),
            ("succeeded", goes),
            ("failed", comes),
        ):
            moved = self.posted(money, partial(money.move_refund, "ref_1", status))
            assert moved == posted
            again = self.posted(money, partial(money.change, "refunds", "ref_1", status=status))
            assert again == [], "it stays where it is"

    def test_a_refund_that_fails_at_once(self, money: MoneyRows) -> None:
        money.paid()
        money.refund()
        assert self.posted(money, lambda: money.move_refund("ref_1", "failed")) == []

    def test_a_refund_that_was_made_in_the_psps_pages(self, money: MoneyRows) -> None:
        money.paid()

        def made_there() -> None:
            with money.connection.transaction():
                money.refund(status="succeeded", idempotency_key=None)
                money.add_up("ref_1")

        assert self.posted(money, made_there) == transfer("refund", "psp", "app", 40, "KES")
        there = {"id": "ref_2", "status": "pending", "idempotency_key": None, "amount_minor": 1}
        assert self.posted(money, lambda: money.refund(**there)) == []

    def test_a_dispute_and_how_it_is_decided(self, money: MoneyRows) -> None:
        money.paid()
        taken = transfer("dispute", "psp", "disputes", 100, "KES")
        back = transfer("dispute_reversal", "disputes", "psp", 100, "KES")
        assert self.posted(money, money.dispute) == taken
        course: list[tuple[str, list[Posting]]] = [
            ("lost", []),
            ("open", []),
            ("won", back),
            ("won", []),
            ("open", taken),
            ("won", back),
            ("lost", taken),
            ("won", back),
        ]
        for status, posted in course:
            moved = self.posted(money, partial(money.change, "disputes", "dis_1", status=status))
            assert moved == posted, status

    @pytest.mark.parametrize(("status", "entries"), [("open", 2), ("lost", 2), ("won", 0)])
    def test_a_dispute_that_is_first_heard_of(
        self, money: MoneyRows, status: str, entries: int
    ) -> None:
        money.paid()
        posted = self.posted(money, lambda: money.dispute(status=status, amount_minor=30))
        assert posted == transfer("dispute", "psp", "disputes", 30, "KES")[:entries]

    def test_each_names_what_moved_when_and_for_whom(self, money: MoneyRows) -> None:
        money.payment()
        money.pay(updated_at="2026-02-01T00:00:00Z")
        money.refund()
        money.move_refund("ref_1", "succeeded")
        money.dispute()
        rows = money.connection.execute(
            """SELECT DISTINCT kind, source_id, source_version, app_id, payment_id, psp,
                               at = '2026-02-01T00:00:00Z' FROM ledger_entries ORDER BY kind"""
        ).fetchall()
        whose = (money.app_id, "pay_1", "stripe")
        assert rows == [
            ("capture", "pay_1", 2, *whose, True),
            ("dispute", "dis_1", 1, *whose, False),
            ("refund", "ref_1", 2, *whose, False),
        ]


def test_a_move_posts_once(money: MoneyRows) -> None:
    """The same version of the same thing can't move the same money again, whoever writes."""
    money.paid()
    money.refund()
    money.move_refund("ref_1", "succeeded")
    with pytest.raises(UniqueViolation) as violation, money.connection.transaction():
        money.connection.execute("UPDATE refunds SET status = 'failed', version = 1")
        money.connection.execute("UPDATE refunds SET status = 'succeeded', version = 2")
    assert violation.value.diag.constraint_name == "each_move_posts_once"


INSERT = """INSERT INTO ledger_entries (app_id, payment_id, kind, source_id, source_version, psp,
                                        account, amount_minor, currency, at)
            SELECT app_id, id, %(kind)s, id, 9, psp, entry.account, entry.minor, entry.currency,
                   now()
            FROM payments, (VALUES {}) AS entry (account, minor, currency)"""


class TestWhoWrites:
    @pytest.mark.parametrize(
        "entries",
        [
            "('psp', 100, 'KES')",
            "('psp', 100, 'KES'), ('app', -99, 'KES')",
            "('psp', 100, 'KES'), ('app', -100, 'UGX')",
            "('psp', 100, 'KES'), ('app', -50, 'KES'), ('fees', -50, 'KES')",
        ],
    )
    def test_not_even_the_owner_posts_what_is_lopsided(
        self, money: MoneyRows, owner: Owner, entries: str
    ) -> None:
        money.paid()
        with pytest.raises(CheckViolation) as violation:
            owner.execute(INSERT.format(entries).encode(), {"kind": "fee"})
        assert violation.value.diag.constraint_name == "postings_sum_to_zero"

    @pytest.mark.parametrize(
        ("kind", "entries"),
        [
            ("gift", "('psp', 1, 'KES'), ('app', -1, 'KES')"),
            ("fee", "('bank', 1, 'KES'), ('app', -1, 'KES')"),
            ("fee", "('psp', 0, 'KES'), ('app', 0, 'KES')"),
            ("fee", "('psp', 1, 'kes'), ('app', -1, 'kes')"),
        ],
    )
    def test_nor_what_is_nothing_of_ours(
        self, money: MoneyRows, owner: Owner, kind: str, entries: str
    ) -> None:
        money.paid()
        with pytest.raises(CheckViolation):
            owner.execute(INSERT.format(entries).encode(), {"kind": kind})

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE ledger_entries SET amount_minor = -amount_minor",
            "UPDATE ledger_entries SET at = now() WHERE false",
            "DELETE FROM ledger_entries",
            "TRUNCATE ledger_entries",
            "TRUNCATE payments CASCADE",
        ],
    )
    def test_nobody_changes_what_is_posted(
        self, world: World, money: MoneyRows, owner: Owner, statement: str
    ) -> None:
        money.paid()
        with pytest.raises(CheckViolation, match="only added to"):
            owner.execute(statement.encode())
        with (
            psycopg.connect(seeing_all(world.stores.service_url)) as service,
            pytest.raises(InsufficientPrivilege),
        ):
            service.execute(statement.encode())
        assert len(money.postings()) == 2

    @pytest.mark.parametrize(
        "statement",
        [
            INSERT.format("('psp', 1, 'KES'), ('app', -1, 'KES')").replace("%(kind)s", "'fee'"),
            """SELECT post('fee', app_id, id, psp, id, 9, 'psp', 'fees', 1, currency, now())
               FROM payments""",
        ],
    )
    def test_the_service_posts_nothing_itself(
        self, world: World, money: MoneyRows, statement: str
    ) -> None:
        money.paid()
        with (
            psycopg.connect(seeing_all(world.stores.service_url)) as service,
            pytest.raises(InsufficientPrivilege),
        ):
            service.execute(statement.encode())


class History:
    """Random moves of several payments in two currencies, and beside them what each account
    should hold: a simple sum over the rows as they stand."""

    def __init__(self, money: MoneyRows, random: Random) -> None:
        self.money, self.random = money, random
        self.paid: dict[str, int] = {}
        self.refunds: dict[str, list[object]] = {}
        self.disputes = 0

    def step(self) -> None:
        match self.random.choice(("pay", "refund", "move", "move", "dispute", "decide", "fee")):
            case "pay" if len(self.paid) < 8:
                name = f"pay_{len(self.paid) + 1}"
                self.paid[name] = self.random.randint(1, 1_000)
                currency = self.random.choice(("KES", "USD"))
                self.money.payment(id=name, amount_minor=1_000, currency=currency)
                self.money.pay(name, self.paid[name])
            case "refund" if self.paid:
                self._refund(self.random.choice(sorted(self.paid)))
            case "move" if self.refunds:
                self._tried(
                    self.money.move_refund,
                    self.random.choice(sorted(self.refunds)),
                    self.random.choice(("succeeded", "failed")),
                )
            case "dispute" if self.paid:
                self._dispute(self.random.choice(sorted(self.paid)))
            case "decide" if self.disputes:
                name = f"dis_{self.random.randint(1, self.disputes)}"
                status = self.random.choice(("open", "won", "lost"))
                self.money.change("disputes", name, status=status)
            case "fee" if self.paid:
                name = self.random.choice(sorted(self.paid))
                fee = {"fee_minor": self.random.randint(0, 9), "fee_currency": "USD"}
                self._tried(lambda: self.money.change("payments", name, **fee))

    def _refund(self, payment_id: str) -> None:
        name = f"ref_{len(self.refunds) + 1}"
        amount = self.random.randint(1, self.paid[payment_id])
        currency = self._currency(payment_id)
        row = {"id": name, "payment_id": payment_id, "currency": currency, "amount_minor": amount}
        if self._tried(lambda: self.money.refund(**row)):
            self.refunds[name] = [payment_id, amount]

    def _dispute(self, payment_id: str) -> None:
        self.disputes += 1
        self.money.dispute(
            id=f"dis_{self.disputes}",
            payment_id=payment_id,
            currency=self._currency(payment_id),
            amount_minor=self.random.randint(1, self.paid[payment_id]),
            status=self.random.choice(("open", "won", "lost")),
        )

    def _currency(self, payment_id: str) -> str:
        row = self.money.connection.execute(
            "SELECT currency FROM payments WHERE id = %s", [payment_id]
        ).fetchone()
        assert row is not None
        return str(row[0])

    @staticmethod
    def _tried(move: Callable[..., None], *arguments: object) -> bool:
        try:
            move(*arguments)
        except CheckViolation:  # no money left, no such edge, a fee already
            return False
        return True

    def expected(self) -> dict[tuple[str, str], int]:
        rows = self.money.connection.execute(
            """SELECT account, currency, sum(minor)::bigint FROM (
                   SELECT 'psp', currency, amount_captured_minor - amount_refunded_minor
                   FROM payments
                   UNION ALL SELECT 'app', currency, amount_refunded_minor - amount_captured_minor
                   FROM payments
                   UNION ALL SELECT 'psp', fee_currency, -fee_minor FROM payments
                   WHERE fee_minor IS NOT NULL
                   UNION ALL SELECT 'fees', fee_currency, fee_minor FROM payments
                   WHERE fee_minor IS NOT NULL
                   UNION ALL SELECT 'psp', currency, -amount_minor FROM disputes
                   WHERE status <> 'won'
                   UNION ALL SELECT 'disputes', currency, amount_minor FROM disputes
                   WHERE status <> 'won'
               ) AS held (account, currency, minor)
               GROUP BY 1, 2 HAVING sum(minor) <> 0"""
        )
        return {(account, currency): minor for account, currency, minor in rows}


def test_after_a_long_history_every_account_is_right(money: MoneyRows) -> None:
    history = History(money, Random(31))
    for _ in range(30):
        for _ in range(12):
            history.step()
        assert money.balances() == history.expected()
    lopsided = money.connection.execute(
        "SELECT currency FROM ledger_entries GROUP BY currency HAVING sum(amount_minor) <> 0"
    )
    assert lopsided.fetchall() == []
    kinds = {kind for kind, *_ in money.postings()}
    assert len(kinds) == 6, "each kind of posting took place"
