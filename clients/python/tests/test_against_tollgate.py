"""The library and Tollgate: the real functions, over HTTP, with a PSP that moves no money.

The one file here that uses the project's own test code.
"""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import conftest as stores
from tests.journeys import conftest as journeys
from tests.journeys.conftest import Served
from tollgate_client import (
    Conflict,
    EntitlementRefused,
    Entitlements,
    Invalid,
    NotFound,
    Payment,
    Tollgate,
    Unauthenticated,
)

cluster = stores.cluster
system = journeys.system
served = journeys.served

README = Path(__file__).parent.parent / "README.md"
WAIT_SECONDS = 20
MONTH_AND_A_DAY_SECONDS = 32 * 24 * 3600


class Counting(httpx.HTTPTransport):
    """The network, and what went over it."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path.split("/fn-local/")[1])
        return super().handle_request(request)


@pytest.fixture
def network() -> Counting:
    return Counting()


@pytest.fixture
def tollgate(served: Served, network: Counting) -> Iterator[Tollgate]:
    with _open(served, 0, network) as tollgate:
        yield tollgate
    served.faults()


@pytest.fixture
def neighbour(served: Served) -> Iterator[Tollgate]:
    """Another app on the same Tollgate."""
    with _open(served, 1, None) as tollgate:
        yield tollgate


@contextmanager
def _open(served: Served, number: int, network: Counting | None, **more: Any) -> Iterator[Tollgate]:
    app = served.described["apps"][number]
    base_url = served.described["base_url"]
    with Tollgate(base_url, app["key"], app_id=app["id"], transport=network, **more) as tollgate:
        yield tollgate


def until(ask: Callable[[], Any]) -> None:
    """Asks until the answer is yes; a webhook takes a moment to arrive."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not ask():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def pay(served: Served, tollgate: Tollgate, client_id: str) -> str:
    """This client pays a month; the entitlement that follows."""
    payment = tollgate.create_payment(client_id, plan="monthly", idempotency_key=client_id)
    served.http.post(f"{payment.redirect_url}/pay")
    until(lambda: tollgate.has_paid(client_id))
    entitlement = tollgate.check(client_id).entitlement
    assert entitlement is not None
    return entitlement


def test_the_ten_lines_of_the_readme(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    block = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert block is not None
    assert len([line for line in block[1].splitlines() if line.strip()]) <= 10
    app = served.described["apps"][0]
    monkeypatch.setenv("TOLLGATE_URL", served.described["base_url"])
    monkeypatch.setenv("TOLLGATE_KEY", app["key"])
    monkeypatch.setenv("TOLLGATE_APP_ID", app["id"])
    names: dict[str, Any] = {}
    exec(block[1], names)
    with names["tollgate"]:
        assert names["may_enter"]("reader-1") is False
        page = names["start_payment"]("reader-1", "order-of-reader-1")
        assert names["start_payment"]("reader-1", "order-of-reader-1") == page
        assert names["may_enter"]("reader-1") is False
        assert served.http.post(f"{page}/pay").status_code == 303
        until(lambda: names["may_enter"]("reader-1"))


def test_a_key_is_one_payment(tollgate: Tollgate) -> None:
    def create(**more: Any) -> Payment:
        return tollgate.create_payment("once-1", plan="monthly", **more)

    first = create(idempotency_key="once", metadata={"b": "2", "a": "1"})
    assert create(idempotency_key="once", metadata={"a": "1", "b": "2"}) == first
    with pytest.raises(Invalid) as caught:
        create(idempotency_key="once", metadata={"a": "1"})
    assert caught.value.code == "idempotency_key_reused"
    assert create().id != create().id != first.id


def test_a_key_that_is_in_use_is_waited_for(tollgate: Tollgate) -> None:
    def create(_: int) -> str:
        return tollgate.create_payment("crowd-1", plan="monthly", idempotency_key="crowd").id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(create, range(16)))) == 1


def test_a_payment_whose_outcome_is_unknown_is_pending(tollgate: Tollgate, served: Served) -> None:
    served.faults(status_5xx=503)
    payment = tollgate.create_payment("down-1", plan="monthly")
    assert (payment.status, payment.redirect_url) == ("pending", None)
    served.faults()
    assert tollgate.get_payment(payment.id).client_id == "down-1"


def test_amounts_are_exact(tollgate: Tollgate) -> None:
    payment = tollgate.create_payment("exact-1", amount=12_345, currency="USD", description="Tea")
    read = tollgate.get_payment(payment.id)
    assert (read.amount, read.currency, read.description) == (12_345, "USD", "Tea")
    assert read.plan is None
    assert (read.expires_at - read.created_at).total_seconds() > 3600


def test_refusals_say_what_is_wrong(tollgate: Tollgate, served: Served) -> None:
    with pytest.raises(Invalid) as caught:
        tollgate.create_payment("wrong-1", amount=0, currency="XXX")
    assert {error.path for error in caught.value.errors} == {"amount", "currency"}
    assert caught.value.request_id
    with pytest.raises(Invalid) as caught:
        tollgate.create_subscription("wrong-1", "no-such-plan")
    assert caught.value.code == "unknown_plan"
    with pytest.raises(NotFound):
        tollgate.get_payment("pay_0199")
    stranger = "tg_test_0123456789abcdef_" + "0" * 64
    with Tollgate(served.described["base_url"], stranger) as unknown:
        with pytest.raises(Unauthenticated) as refused:
            unknown.check("wrong-1")
        assert stranger not in str(refused.value)


def test_what_is_an_apps_is_its_own(tollgate: Tollgate, neighbour: Tollgate) -> None:
    payment = tollgate.create_payment("own-1", plan="monthly")
    with pytest.raises(NotFound):
        neighbour.get_payment(payment.id)


def test_ids_of_every_shape_come_through(tollgate: Tollgate) -> None:
    for client_id in ("a@b.c", "+254:1|2~3=4", "x" * 128):
        assert tollgate.check(client_id).client_id == client_id
    with pytest.raises(NotFound):
        tollgate.get_payment("a/b")


def test_a_subscription_and_its_check(tollgate: Tollgate) -> None:
    assert tollgate.check("sub-1").reason == "never_subscribed"
    subscription = tollgate.create_subscription("sub-1", "monthly")
    assert tollgate.create_subscription("sub-1", "monthly").id == subscription.id
    check = tollgate.check("sub-1", subscription.product)
    assert (check.subscription_id, check.active) == (subscription.id, False)
    assert check.entitlement is None


def test_a_subscription_from_its_link_to_its_end(tollgate: Tollgate, served: Served) -> None:
    made = tollgate.create_subscription("life-1", "monthly", renewal={"language": "sw"})
    assert (made.status, made.renewal["language"]) == ("incomplete", "sw")
    assert made.pay_url is not None
    assert served.http.get(made.pay_url).status_code == 200
    pay(served, tollgate, "life-1")
    assert tollgate.get_subscription(made.id).pay_url is None
    until = datetime.now(timezone.utc) + timedelta(days=3650)
    assert tollgate.pause_subscription(made.id, resumes_at=until).resumes_at == until
    assert tollgate.resume_subscription(made.id).status == "active"
    with pytest.raises(Conflict) as refused:
        tollgate.resume_subscription(made.id)
    assert refused.value.code == "not_paused"
    assert tollgate.cancel_subscription(made.id).cancel_at is not None
    assert tollgate.cancel_subscription(made.id, at="never").cancel_at is None
    with pytest.raises(Invalid):
        tollgate.change_subscription(made.id, "monthly", proration="none")
    assert tollgate.cancel_subscription(made.id, at="now").status == "canceled"


def test_an_entitlement_verifies_offline(tollgate: Tollgate, served: Served) -> None:
    token = pay(served, tollgate, "proof-1")
    check = tollgate.check("proof-1")
    base_url, app_id = served.described["base_url"], served.described["apps"][0]["id"]
    entitlement = Entitlements(base_url, app_id).verify(token, "proof-1", check.product)
    assert (entitlement.plan, entitlement.reason) == ("monthly", "paid")
    assert entitlement.paid_through == check.paid_through
    lasts = (entitlement.expires_at - entitlement.issued_at).total_seconds()
    assert 0 < lasts <= 15 * 60


def test_an_entitlement_is_of_no_use_elsewhere(
    tollgate: Tollgate, neighbour: Tollgate, served: Served
) -> None:
    token = pay(served, tollgate, "elsewhere-1")
    assert tollgate.entitlements.verify(token, "elsewhere-1")
    with pytest.raises(EntitlementRefused, match="another app"):
        neighbour.entitlements.verify(token, "elsewhere-1")
    with pytest.raises(EntitlementRefused, match="another client"):
        tollgate.entitlements.verify(token, "elsewhere-2")
    assert not neighbour.has_paid("elsewhere-1", entitlement=token)
    # and a token for calling is no entitlement
    access_token = tollgate.client_token("elsewhere-1").access_token
    with pytest.raises(EntitlementRefused):
        tollgate.entitlements.verify(access_token)


def test_a_client_with_an_entitlement_costs_no_call(
    tollgate: Tollgate, network: Counting, served: Served
) -> None:
    token = pay(served, tollgate, "local-1")
    network.paths.clear()
    assert all(tollgate.has_paid("local-1", entitlement=token) for _ in range(50))
    assert all(tollgate.is_active("local-1") for _ in range(50))
    assert network.paths == ["auth/keys", "subscriptions/check/local-1"]


def test_a_client_token_reads_its_own_client_and_no_other(
    tollgate: Tollgate, served: Served
) -> None:
    tollgate.create_subscription("token-1", "monthly")
    token = tollgate.client_token("token-1")
    assert (token.token_type, token.expires_in > 0) == ("Bearer", True)

    def call(method: str, path: str) -> int:
        url = f"{served.described['base_url']}/{path}"
        headers = {"Authorization": f"Bearer {token.access_token}"}
        return served.http.request(method, url, headers=headers).status_code

    assert call("GET", "subscriptions/check/token-1") == 200
    assert call("GET", "subscriptions/check/token-2") in (403, 404)
    assert call("POST", "payments/create") == 403


def test_access_ends_with_the_month(served: Served) -> None:
    """Moves the clock of the whole system, so it is the last of this file."""
    now = [0.0]
    with _open(served, 0, None, clock=lambda: time.time() + now[0]) as moved:
        token = pay(served, moved, "month-1")
        assert moved.entitlements.verify(token, "month-1")
        served.http.post(
            f"{served.rest_url}/_local/clock",
            json={"advance_seconds": MONTH_AND_A_DAY_SECONDS},
            headers={"Authorization": f"Bearer {served.described['admin_key']}"},
        ).raise_for_status()
        now[0] = MONTH_AND_A_DAY_SECONDS
        with pytest.raises(EntitlementRefused, match="expired"):
            moved.entitlements.verify(token)
        assert not moved.is_active("month-1")
        assert not moved.has_paid("month-1", entitlement=token)
