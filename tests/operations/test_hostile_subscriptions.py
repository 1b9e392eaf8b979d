"""What nobody should send about subscriptions: refused by name, and nothing half done."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from local.seed import operators_context
from tests.operations.paying import PLAN, everything, in_another, paid
from tests.operations.subscribing import add_plan, put, renew, subscription
from tests.operations.test_access import check
from tests.operations.test_cancellation import is_refused
from tests.world import Answer, World
from tollgate.operations.context import Context
from tollgate.operations.invariants import check_invariants

NOT_JSON = (
    b"{",
    b"plan=gold",
    b"\xff\xfe",
    b'"\x00"',
    b'{"plan": "\\ud800"}',
    b'{"plan": "gold"} {"plan": "gold"}',
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b'{"plan": "gold"' + b" " * 70_000 + b"}",
)
NOT_AN_OBJECT = (b"null", b"[]", b'[{"plan": "gold"}]', b"5", b"true", b'"now"', b"NaN", b"1e999")
UNKNOWN = (
    b'{"plan": "gold", "client_id": "client-9", "status": "active"}',
    b'{"plan": "gold", "client_id": "client-9", "paid_through": "2099-01-01T00:00:00Z"}',
    b'{"plan": "gold", "client_id": "client-9", "__proto__": {"at": "now"}}',
)
NOT_A_CLIENT = (
    "",
    "..",
    "../client-1",
    "..%2fclient-1",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "client-1%00",
    "client-1%0d%0aset-cookie:%20a",
    "client-1/",
    "client-1/../client-2",
    "client 1",
    "client-1'--",
    "%e2%80%aeclient-1",
    "%f0%9f%92%a9",
    "%ff%fe",
    "%",
    "%zz",
    "cl\u0456ent-1",
    "\uff43lient-1",
    "c" * 129,
    "c" * 10_000,
)
QUERIES = (
    "client_id=",
    "client_id=..",
    "client_id=client-1%00",
    "client_id=" + "c" * 10_000,
    "client_id=%f0%9f%92%a9",
    "product=",
    "product=Pro",
    "product=pro'--",
    "product=" + "p" * 10_000,
    "limit=0",
    "limit=-1",
    "limit=101",
    "limit=1e2",
    "limit=%d9%a3",
    "limit=",
    "cursor=",
    "cursor=AAAA",
    "cursor=%00",
    "cursor=" + "A" * 10_000,
    "status=active",
    "app_id=app_1",
)


@dataclass(frozen=True)
class Sent:
    """One call; `target` stands for the subscription's own id where it is None."""

    function: str
    method: str
    body: bytes = b""
    target: str | None = None
    query: str = ""

    def __str__(self) -> str:
        told = (self.target, self.query, self.body.decode("latin-1"))
        return f"{self.function} {' '.join(part[:40] for part in told if part)}"


def _table() -> Iterator[Sent]:
    for body in (*NOT_JSON, *NOT_AN_OBJECT, *UNKNOWN):
        yield Sent("create", "POST", body, target="")
        for function in ("cancel", "pause", "change"):
            yield Sent(function, "PUT", body)
    for function in ("create", "change"):
        yield Sent(function, "POST" if function == "create" else "PUT")  # without a body
    for target in NOT_A_CLIENT:
        yield Sent("check", "GET", target=target)
    for query in QUERIES:
        yield Sent("list", "GET", target="", query=query)
        if "product" in query or "client_id" in query:
            yield Sent("check", "GET", target="client-1", query=query)
    for function in ("create", "cancel", "pause", "resume", "change", "get", "list", "check"):
        for method in ("DELETE", "PATCH", "TRACE", "HEAD", "\x00"):
            yield Sent(function, method)
    for function in ("cancel", "pause", "resume", "change", "get"):
        yield Sent(function, "GET" if function == "get" else "PUT", b"{}", query="force=true")


def send(world: World, sent: Sent, subscription_id: str) -> Answer:
    target = subscription_id if sent.target is None else sent.target
    return world.call(
        f"subscriptions/{sent.function}",
        method=sent.method,
        path=f"/{target}" if target else "",
        query=sent.query,
        body=sent.body,
    )


def test_what_makes_no_sense_is_refused_and_leaves_everything(world: World) -> None:
    add_plan(world, "gold")
    paid(world, PLAN)
    subscription_id = subscription(world)["id"]
    before = everything(world)
    taken = []
    for sent in _table():
        answer = send(world, sent, subscription_id)
        if not is_refused(answer, 400, 404, 405, 413, 422):
            taken.append((str(sent), answer.status, answer.body[:200]))
    assert taken == []
    assert everything(world) == before


def test_what_is_sent_is_told_back_in_no_problem(world: World) -> None:
    marked = "zx81-mark"
    for sent in (
        Sent("create", "POST", f'{{"client_id": "/{marked}", "plan": "monthly"}}'.encode(), ""),
        Sent("create", "POST", f'{{"client_id": "c", "plan": "{marked}!"}}'.encode(), ""),
        Sent("check", "GET", target=f"%2f{marked}"),
        Sent("list", "GET", target="", query=f"client_id=/{marked}"),
        Sent("get", "GET", target=f"sub_{marked}"),
    ):
        answer = send(world, sent, "")
        assert is_refused(answer), (str(sent), answer.body)
        assert marked not in answer.body


def test_a_pause_for_ages_ends_when_it_is_resumed(world: World) -> None:
    paid(world, PLAN)
    subscription_id = subscription(world)["id"]
    for resumes_at in ("9998-12-31T23:59:59Z", "9998-12-31T23:59:59.999999+00:00"):
        world.pass_time(days=1)
        paused = put(world, "pause", subscription_id, {"resumes_at": resumes_at})
        assert (paused.status, paused.json["status"]) == (200, "paused")
        world.pass_time(days=1)
        renew(world)
        assert check(world)["reason"] == "paused"
        assert put(world, "resume", subscription_id).json["status"] == "active"
    assert check(world)["paid_through"] == "2026-03-02T09:00:00Z"


def _wishes(subscription_id: str) -> tuple[Callable[[World, Context], Answer], ...]:
    def wish(function: str, body: Any = None) -> Callable[[World, Context], Answer]:
        return lambda world, context: put(world, function, subscription_id, body, context=context)

    return (
        wish("pause"),
        wish("pause", {"resumes_at": "2026-02-20T09:00:00Z"}),
        wish("resume"),
        wish("cancel"),
        wish("cancel", {"at": "never"}),
        wish("change", {"plan": "gold"}),
        wish("change", {"plan": "monthly"}),
        wish("change", {"plan": "gold", "proration": "charge_now"}),
        wish("change", {"plan": "gold", "proration": "none"}),
        lambda world, context: world.call(
            "subscriptions/create", body=PLAN | {"plan": "gold"}, context=context
        ),
    )


@pytest.mark.parametrize("seed", range(3))
def test_all_wishes_at_once_leave_it_whole(world: World, seed: int) -> None:
    """In whatever order they come, each is done or refused."""
    add_plan(world, "gold")
    paid(world, PLAN)
    paid(world, PLAN, "k-2")
    world.pass_time(days=5)
    wishes = [*_wishes(subscription(world)["id"])] * 3
    Random(seed).shuffle(wishes)
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda wish: in_another(world, wish), wishes))
    assert {answer.status for answer in answers} <= {200, 409, 422}
    assert all(answer.status == 200 or is_refused(answer) for answer in answers)
    ((count, live),) = world.rows(
        "SELECT count(*), count(*) FILTER (WHERE ended_at IS NULL) FROM subscriptions"
    )
    assert (count, live) == (1, 1)
    assert broken(world) == []


def broken(world: World) -> list[str]:
    """What does not hold that must."""
    operator = operators_context(world.stores.owner_url, world.now)
    try:
        return [str(found) for found in check_invariants(operator) if not found.holds]
    finally:
        operator.database.close()
