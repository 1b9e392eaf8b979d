"""Subscriptions for tests, and what an app and the clock do with them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.operations.paying import PLAN, paid
from tests.scripted_psp import ScriptedPsp
from tests.world import Answer, World
from tollgate.domain.order import Order, SavedMethod
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import Failure, Method, PaymentStatus

CARD = SavedMethod("cus_1", "pm_1")
DECLINED = Failure("card_declined", "The card was declined.")
PROMPTS = frozenset({Method.MPESA})
PHONE = {"renewal": {"method": "mpesa"}, "customer": {"phone": "+254712345678"}}
"""A client who is prompted."""


class Bank(ScriptedPsp):
    """Charges a saved method at once, as `verdict` says; a page waits for its client."""

    verdict: Failure | None = None
    charged: PaymentStatus = PaymentStatus.SUCCEEDED
    """What it says of a charge at first."""

    def start(self, order: Order) -> Outcome:
        outcome = super().start(order)
        if order.saved_method is None:
            return outcome
        if self.verdict is not None:
            return replace(
                outcome, status=PaymentStatus.FAILED, failure=self.verdict, next_action=None
            )
        return replace(outcome, status=self.charged, next_action=None)

    @property
    def charges(self) -> int:
        """How often a saved method was charged."""
        return sum(order.saved_method is not None for order in self.starts)


def keep_card(world: World) -> Bank:
    """The world's PSP: the client paid the plan, and its card is kept from that."""
    bank = Bank()
    bank.alter = lambda outcome: (
        replace(outcome, saved_method=CARD)
        if outcome.status is PaymentStatus.SUCCEEDED
        else outcome
    )
    world.psp = bank
    paid(world, PLAN | {"save_method": True})
    return bank


def subscribe(world: World, **more: Any) -> Answer:
    """The app's call for client-1 and the seeded plan, with more or other fields."""
    return world.call("subscriptions/create", body=PLAN | more)


def subscription(world: World, client_id: str = "client-1") -> dict[str, Any]:
    """The client's newest subscription, as its app sees it."""
    query = f"client_id={client_id}"
    listed = world.call("subscriptions/list", method="GET", query=query)
    assert listed.status == 200, listed.body
    newest: dict[str, Any] = listed.json["data"][0]
    return newest


def put(world: World, function: str, subscription_id: str, body: Any = None, **more: Any) -> Answer:
    """A change of a subscription: cancel, pause, resume or change."""
    path = f"/{subscription_id}"
    return world.call(f"subscriptions/{function}", method="PUT", path=path, body=body, **more)


def add_plan(world: World, code: str, amount: int = 300_000, **more: Any) -> None:
    """Another plan of the seeded product, unless told otherwise."""
    body = {
        "app_id": world.app.id,
        "code": code,
        "product": world.product,
        "interval": {"unit": "month"},
        "prices": [{"amount": amount, "currency": "KES"}],
        **more,
    }
    made = world.call("admin/plans", body=body, key=world.seed.admin_key)
    assert made.status == 201, made.body


def set_plan(world: World, code: str = "monthly", **fields: Any) -> None:
    """Other rules or prices for a plan."""
    query = f"app_id={world.app.id}"
    changed = world.call(
        "admin/plans",
        method="PUT",
        path=f"/{code}",
        query=query,
        body=fields,
        key=world.seed.admin_key,
    )
    assert changed.status == 200, changed.body


def renew(world: World) -> dict[str, Any]:
    """One firing of the timer; what it reports."""
    report: dict[str, Any] = world.run_timer("subscriptions/renew")["renew_subscriptions"]
    return report


def days(world: World, number: int) -> None:
    """So many days, with the timer once a day."""
    for _ in range(number):
        world.pass_time(days=1)
        renew(world)


def ahead(world: World, **span: float) -> str:
    """An instant so far from now, as an app writes it."""
    return (world.now + timedelta(**span)).isoformat()


def bills(world: World) -> list[tuple[Any, ...]]:
    """Status, plan and amount of each, oldest first."""
    return world.rows("SELECT status, plan, amount_minor FROM bills ORDER BY opened_at, id")


def periods(world: World) -> list[tuple[datetime, datetime]]:
    """From when to when was paid for, in order."""
    rows = world.rows("SELECT starts_at, ends_at FROM subscription_periods ORDER BY starts_at")
    return [(starts_at, ends_at) for starts_at, ends_at in rows]


def told_of(world: World, subscription_id: str) -> list[str]:
    """The events of a subscription, in order, without the word before the dot."""
    rows = world.rows(
        "SELECT type FROM outbox WHERE aggregate_id = %s ORDER BY sequence", subscription_id
    )
    return [kind.partition(".")[2] for (kind,) in rows]


def pay_link(url: str) -> str:
    """What the pay page of a `pay_url` is opened by."""
    return url.rpartition("/")[2]
