"""Payments for tests, brought as far as a test needs them; and what a call must leave alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg.sql import SQL, Identifier

from local.seed import operators_context
from tests.world import Answer, World
from tollgate.crash_points import CrashPoint, listen
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.plan import RefundRule
from tollgate.operations import plans
from tollgate.operations.context import Call, Context
from tollgate.schemas.plans import UpdatePlan

AMOUNT = {"client_id": "client-1", "amount": 10_000, "currency": "KES"}
PLAN = {"client_id": "client-1", "plan": "monthly"}


class Killed(BaseException):
    """The caller is gone, in the midst of it."""


def die(*_: object) -> None:
    """Ends the caller; the PSP did what it was asked."""
    raise Killed


def down(*_: object) -> None:
    """The PSP can't be reached."""
    raise PspUnavailable


def up(*_: object) -> None:
    """The PSP answers again."""


def create(world: World, body: Any = AMOUNT, key: str = "k-1", **more: Any) -> Answer:
    """Starts a payment."""
    return world.call("payments/create", body=body, headers={"idempotency-key": key}, **more)


def die_at(world: World, point: CrashPoint, body: Any = PLAN) -> str:
    """A create whose caller dies there; the payment's id."""
    listen(point, die)
    try:
        with pytest.raises(Killed):
            create(world, body)
    finally:
        listen(point, lambda: None)
    ((payment_id,),) = world.rows("SELECT id FROM payments")
    return str(payment_id)


def moved(world: World, status: PaymentStatus, body: Any = AMOUNT, key: str = "k-1") -> str:
    """A payment that the PSP says this of from now on, and that we know it of; its id."""
    world.psp.status = PaymentStatus.REQUIRES_ACTION
    payment_id: str = create(world, body, key).json["id"]
    world.psp.status = status
    assert tell(world, payment_id).status == 200
    return payment_id


def paid(world: World, body: Any = AMOUNT, key: str = "k-1") -> str:
    """A payment that was paid; its id."""
    payment_id = moved(world, PaymentStatus.SUCCEEDED, body, key)
    assert status_of(world, payment_id) == "succeeded"
    return payment_id


def tell(world: World, payment_id: str) -> Answer:
    """A webhook of the PSP about this payment: go and look."""
    (count,) = world.rows("SELECT count(*) FROM inbox")[0]
    event = {
        "event_id": f"evt_{count}",
        "type": "something.happened",
        "livemode": False,
        "payment_id": payment_id,
        "psp_reference": f"ref_{payment_id}",
    }
    return world.call(
        "webhook/receive", path="/stripe", body=event, headers={"signature": "signed"}
    )


def refund(
    world: World, payment_id: str, body: Any = b"{}", key: str = "r-1", **more: Any
) -> Answer:
    """Asks for a refund: of all that is left, unless the body says otherwise."""
    headers = {"idempotency-key": key}
    return world.call("payments/refund", path=f"/{payment_id}", body=body, headers=headers, **more)


def capture(world: World, payment_id: str, body: Any = b"{}", **more: Any) -> Answer:
    """Asks to take an authorized payment."""
    return world.call("payments/capture", path=f"/{payment_id}", body=body, **more)


def cancel(world: World, payment_id: str, **more: Any) -> Answer:
    """Asks to end an unpaid payment."""
    return world.call("payments/cancel", path=f"/{payment_id}", **more)


def read(world: World, payment_id: str, **more: Any) -> dict[str, Any]:
    """The payment with its details, as its app sees it."""
    answer = world.call("payments/get", method="GET", path=f"/{payment_id}", **more)
    assert answer.status == 200, answer.body
    return answer.json


def reconcile(world: World, context: Context | None = None) -> dict[str, Any]:
    """One firing of the timer; what it reports."""
    report: dict[str, Any] = world.run_timer("payments/reconcile", context)["reconcile_payments"]
    return report


def status_of(world: World, payment_id: str) -> str:
    """What the row says, with nobody asked."""
    ((status,),) = world.rows("SELECT status FROM payments WHERE id = %s", payment_id)
    return str(status)


def told(world: World, *kinds: str) -> list[str]:
    """The events so far, those of an aggregate in order; of these kinds of it alone, if named."""
    rows = world.rows("SELECT type FROM outbox ORDER BY created_at, sequence, id")
    return [kind for (kind,) in rows if not kinds or kind.partition(".")[0] in kinds]


def books(world: World) -> dict[str, int]:
    """What each account holds, in minor units."""
    rows = world.rows("SELECT account, sum(amount_minor)::int FROM ledger_entries GROUP BY account")
    return {account: held for account, held in rows if held}


def with_rule(world: World, rule: RefundRule, grace_days: int = 0) -> None:
    """Gives the seeded plan another rule of refunds."""
    operator = operators_context(world.stores.owner_url, world.now)
    body = UpdatePlan(refund_rule=rule, grace_days=grace_days)
    query = {"app_id": world.app.id}
    plans.update_plan(operator, Call.by_operator("test", target="monthly", query=query, body=body))
    operator.database.close()


def everything(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, but when a key was last used and a PSP last asked.

    And but the rates of calls, which are counted here whenever Redis was too slow to count them.
    """
    tables = world.rows(
        """SELECT table_name FROM information_schema.tables
           WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
             AND table_name <> 'rate_buckets'"""
    )
    assert len(tables) > 15
    sql = "SELECT to_jsonb(t) - 'last_used_at' - 'asked_at' FROM {} t ORDER BY t::text"
    return {
        table: world.rows(SQL(sql).format(Identifier(table)).as_string()) for (table,) in tables
    }


@contextmanager
def another_container(world: World, **changed: Any) -> Iterator[Context]:
    """Another container's means, closed after use."""
    context = world.new_context(**changed)
    try:
        yield context
    finally:
        context.database.close()
        context.cache.close()


def in_another(world: World, call: Callable[..., Answer], *given: Any, **named: Any) -> Answer:
    """The answer of this call to a container of its own: for calls at once."""
    with another_container(world) as context:
        return call(world, *given, context=context, **named)
