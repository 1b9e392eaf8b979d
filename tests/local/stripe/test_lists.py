"""Lists: newest first, by creation time and parent, in pages, with what is expanded."""

from typing import Any

import pytest
import stripe

from tests.local.stripe.conftest import STAYS, Bench

PAID: Any = {
    "amount": 10_000,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": True,
    **STAYS,
}


def fill(bench: Bench) -> list[str]:
    """Three sessions, charges, refunds and disputes, an hour apart; the PaymentIntents."""
    intents = []
    for _ in range(3):
        bench.open_session()
        intent = bench.client.v1.payment_intents.create(PAID)
        bench.client.v1.refunds.create({"payment_intent": intent.id, "amount": 100})
        bench.happen(f"charges/{intent.latest_charge}/dispute")
        intents.append(intent.id)
        bench.clock.advance(3600)
    return intents


def listed(bench: Bench, kind: str, **params: Any) -> Any:
    service: Any = bench.client.v1.checkout if kind == "sessions" else bench.client.v1
    return getattr(service, kind).list(params)


each = pytest.mark.parametrize("kind", ["sessions", "charges", "refunds", "disputes"])


@each
def test_a_list_is_read_page_by_page(bench: Bench, kind: str) -> None:
    fill(bench)
    whole = listed(bench, kind)
    created = [one.created for one in whole.data]
    assert created == sorted(created, reverse=True)
    assert (len(created), whole.has_more) == (3, False)
    first = listed(bench, kind, limit=2)
    assert ([one.created for one in first.data], first.has_more) == (created[:2], True)
    rest = listed(bench, kind, limit=2, starting_after=first.data[1].id)
    assert ([one.created for one in rest.data], rest.has_more) == (created[2:], False)
    assert len(list(first.auto_paging_iter())) == 3


@each
def test_a_list_is_of_a_time(bench: Bench, kind: str) -> None:
    fill(bench)
    newest, middle, oldest = (one.created for one in listed(bench, kind).data)
    for created, expected in (
        ({"gte": middle}, [newest, middle]),
        ({"gt": middle}, [newest]),
        ({"lte": middle}, [middle, oldest]),
        ({"gte": oldest, "lt": newest}, [middle, oldest]),
        (middle, [middle]),
    ):
        assert [one.created for one in listed(bench, kind, created=created).data] == expected


@each
@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"starting_after": "none"}, "starting_after"),
        ({"expand": ["data.customer"]}, "expand"),
        ({"client_reference_id": "pay_1"}, "client_reference_id"),
    ],
)
def test_a_list_is_checked(bench: Bench, kind: str, params: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        listed(bench, kind, **params)
    assert (refusal.value.http_status, refusal.value.param) == (400, param)


@pytest.mark.parametrize("kind", ["charges", "refunds", "disputes"])
def test_a_list_is_of_one_payment(bench: Bench, kind: str) -> None:
    intent = fill(bench)[1]
    (found,) = listed(bench, kind, payment_intent=intent).data
    assert found.payment_intent == intent


@pytest.mark.parametrize("kind", ["refunds", "disputes"])
def test_a_list_shows_the_charges(bench: Bench, kind: str) -> None:
    fill(bench)
    shown = listed(bench, kind, expand=["data.charge"]).data
    plain = listed(bench, kind).data
    assert [one.charge.id for one in shown] == [one.charge for one in plain]


def test_sessions_are_listed_by_their_state(bench: Bench) -> None:
    fill(bench)
    paid = bench.open_session().id
    bench.press(paid, "pay")
    assert [one.id for one in listed(bench, "sessions", status="complete").data] == [paid]
    with pytest.raises(stripe.InvalidRequestError, match="does not model"):
        listed(bench, "sessions", subscription="sub_1")


def test_a_session_shows_all_of_its_payment(bench: Bench) -> None:
    session_id = bench.open_session().id
    paths = [f"payment_intent.latest_charge.{name}" for name in ("balance_transaction", "refunds")]
    read = bench.client.v1.checkout.sessions.retrieve
    assert read(session_id, {"expand": paths}).payment_intent is None
    bench.press(session_id, "pay")
    charge = bench.ledger()["charges"][0]["id"]
    for _ in range(11):
        bench.happen(f"charges/{charge}/refund", amount=10)
    shown: Any = read(session_id, {"expand": paths}).payment_intent
    assert shown.latest_charge.balance_transaction.fee == 4_380
    assert (len(shown.latest_charge.refunds.data), shown.latest_charge.refunds.has_more) == (
        10,
        True,
    )
