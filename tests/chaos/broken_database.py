"""A world whose functions reach PostgreSQL by a line that breaks, and what must hold after that."""

from collections.abc import Callable, Iterator

import pytest

from tests.callers import DEAD_REDIS
from tests.chaos.fault_proxy import FaultProxy
from tests.world import Answer, Stores, World, world_over
from tollgate.domain.idempotency import LOCK_SECONDS
from tollgate.operations.context import Context

Call = Callable[..., Answer]


@pytest.fixture
def line(stores: Stores) -> Iterator[FaultProxy]:
    """The way to PostgreSQL."""
    with FaultProxy(stores.service_url) as proxy:
        yield proxy


@pytest.fixture
def world(stores: Stores, line: FaultProxy) -> Iterator[World]:
    """The functions take the line, the test and an operator do not. There is no Redis to help."""
    met = Stores(stores.owner_url, line.through(stores.service_url), DEAD_REDIS)
    with world_over(met) as world:
        world.stores = stores
        yield world


def create(world: World, name: str = "1", context: Context | None = None) -> Answer:
    body = {"client_id": f"client-{name}", "plan": "monthly"}
    headers = {"idempotency-key": f"k-{name}"}
    return world.call("payments/create", body=body, headers=headers, context=context)


def get(world: World, name: str = "1", context: Context | None = None) -> Answer:
    path = f"/{payment_of(world, name)}"
    return world.call("payments/get", method="GET", path=path, context=context)


def check(world: World, name: str = "1", context: Context | None = None) -> Answer:
    path = f"/client-{name}"
    return world.call("subscriptions/check", method="GET", path=path, context=context)


def deliver(world: World, name: str = "1", context: Context | None = None) -> Answer:
    event = {
        "event_id": f"evt_{name}",
        "type": "checkout.session.completed",
        "livemode": False,
        "payment_id": payment_of(world, name),
        "psp_reference": None,
    }
    headers = {"signature": "signed"}
    return world.call(
        "webhook/receive", path="/stripe", body=event, headers=headers, context=context
    )


CALLS = [create, get, check, deliver]


def payment_of(world: World, name: str) -> str:
    [(payment_id,)] = world.rows("SELECT id FROM payments WHERE client_id = %s", f"client-{name}")
    return str(payment_id)


def is_an_outage(answer: Answer) -> bool:
    return (answer.status, answer.json.get("code")) == (503, "database_unavailable")


def assert_whole(world: World, name: str) -> None:
    """What was written was written with all that belongs to it, or not at all."""
    [(payments, keys, created, paid, periods, told)] = world.rows(
        """SELECT (SELECT count(*) FROM payments WHERE client_id = client),
                  (SELECT count(*) FROM idempotency_keys WHERE key = 'k-' || %(name)s),
                  (SELECT count(*) FROM audit_log JOIN payments ON object_id = payments.id
                   WHERE client_id = client AND action = 'payment.created'),
                  (SELECT count(*) FROM payments WHERE client_id = client
                   AND status = 'succeeded'),
                  (SELECT count(*) FROM subscription_periods JOIN payments
                   ON payment_id = payments.id WHERE client_id = client),
                  (SELECT count(*) FROM outbox JOIN payments ON aggregate_id = payments.id
                   WHERE client_id = client AND type = 'payment.succeeded')
           FROM (SELECT 'client-' || %(name)s) AS named (client)""".replace("%(name)s", "%s"),
        name,
        name,
    )
    assert payments == keys == created <= 1
    assert paid == periods == told <= 1


def assert_charged_once(world: World, name: str) -> None:
    """After the same create again, for as long as its key is held by the call that failed."""
    answer = create(world, name)
    if answer.status == 409:
        world.pass_time(seconds=LOCK_SECONDS + 1)
        answer = create(world, name)
    assert answer.status == 201, answer.body
    assert create(world, name).body == answer.body
    payment_id = answer.json["id"]
    assert payment_id == payment_of(world, name)
    assert [o.payment_id for o in world.psp.opened.values()].count(payment_id) == 1
    assert_whole(world, name)


def assert_paid_once(world: World, name: str) -> None:
    assert get(world, name).json["status"] == "succeeded"
    assert check(world, name).json["active"] is True
    assert_whole(world, name)
