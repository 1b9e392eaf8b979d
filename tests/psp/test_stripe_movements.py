"""Stripe's own books, as they are compared with ours."""

from datetime import UTC, datetime
from typing import Any

import pytest
import respx

from tests.psp.stripe_values import charge, dispute, listed, refund
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.outcome import Movement, MovementKind
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

WEEK = 7 * 86_400
SINCE = datetime.fromtimestamp(1_790_000_000, UTC)
UNTIL = datetime.fromtimestamp(1_790_086_400, UTC)


def movements(
    settings: Settings, kind: str = "", *found: Any, since: datetime = SINCE
) -> tuple[list[Movement], dict[str, dict[str, str]]]:
    """What is read where only the list of this kind has anything in it; the three queries."""
    with respx.mock:
        routes = {
            name: respx.get(path=f"/v1/{name}").respond(
                json=listed(*(found if name == kind else ()))
            )
            for name in ("charges", "refunds", "disputes")
        }
        read = list(Stripe(settings).list_movements(since, UNTIL))
        asked = {name: dict(route.calls.last.request.url.params) for name, route in routes.items()}
        return read, asked


def at(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def test_asks_for_what_was_made_in_the_range(settings: Settings) -> None:
    until = {"created[lt]": "1790086400", "limit": "100"}
    since = SINCE.replace(microsecond=1)  # a second that began before is not in the range
    assert movements(settings, since=since)[1] == {
        # a charge may be captured as long after it was made as a hold lasts
        "charges": until
        | {"created[gte]": str(1_790_000_001 - WEEK), "expand[]": "data.balance_transaction"},
        "refunds": until | {"created[gte]": "1790000001", "expand[]": "data.charge"},
        "disputes": until | {"created[gte]": "1790000001", "expand[]": "data.charge"},
    }


@pytest.mark.parametrize("metadata", [{"payment_id": "pay_1"}, {}, {"payment_id": "a\nb"}, None])
def test_a_capture_is_what_was_taken(settings: Settings, metadata: Any) -> None:
    taken = charge(amount_captured=100_000, metadata=metadata)
    ours = "pay_1" if metadata == {"payment_id": "pay_1"} else None
    expected = Movement(
        MovementKind.CAPTURE, "ch_1", ours, Money(100_000, "KES"), at(1_790_000_001)
    )
    assert movements(settings, "charges", taken)[0] == [expected]


@pytest.mark.parametrize(
    "nothing",
    [
        {"status": "failed", "paid": False, "captured": False},
        {"status": "pending"},
        {"paid": False},
        {"captured": False, "amount_captured": 0},
        {"amount_captured": 0},
    ],
)
def test_a_charge_that_took_nothing_is_no_movement(settings: Settings, nothing: Any) -> None:
    assert movements(settings, "charges", charge(**nothing))[0] == []


@pytest.mark.parametrize(
    ("made", "captured", "is_in"),
    [
        (1_790_000_000 - WEEK, 1_790_000_000, True),
        (1_790_000_000 - WEEK, 1_789_999_999, False),
        (1_790_086_399, 1_790_086_399, True),
        (1_790_086_399, 1_790_086_400, False),
        (1_790_000_000, None, True),
        (1_789_999_999, None, False),
    ],
)
def test_a_capture_is_of_the_time_of_its_entry(
    settings: Settings, made: int, captured: int | None, is_in: bool
) -> None:
    entry = {"created": captured, "currency": "kes", "fee": 1} if captured else None
    taken = charge(created=made, balance_transaction=entry)
    assert bool(movements(settings, "charges", taken)[0]) == is_in


@pytest.mark.parametrize(
    ("said", "payment_id"),
    [
        ({}, "pay_1"),
        ({"metadata": {}, "charge": charge()}, "pay_1"),
        ({"metadata": {}, "charge": charge(metadata={})}, None),
        ({"metadata": {}, "charge": None}, None),
    ],
)
def test_a_refund_is_of_its_charges_payment(
    settings: Settings, said: Any, payment_id: str | None
) -> None:
    expected = Movement(
        MovementKind.REFUND, "re_1", payment_id, Money(50_000, "KES"), at(1_790_000_100)
    )
    assert movements(settings, "refunds", refund(**said))[0] == [expected]


@pytest.mark.parametrize(
    "said",
    [
        {"status": "pending"},
        {"status": "failed"},
        {"status": "a_new_word"},
        {"balance_transaction": None, "metadata": {}, "charge": charge(amount_captured=100_000)},
        {
            "balance_transaction": None,
            "metadata": {},
            "reason": "expired_uncaptured_charge",
            "charge": charge(amount_captured=0, captured=False),
        },
    ],
)
def test_a_refund_that_gave_nothing_back_is_no_movement(settings: Settings, said: Any) -> None:
    assert movements(settings, "refunds", refund(**said))[0] == []


@pytest.mark.parametrize(
    ("status", "has_the_money"),
    [
        ("needs_response", True),
        ("under_review", True),
        ("appeal_under_review", True),
        ("lost", True),
        ("a_new_word", True),
        ("won", False),
        ("prevented", False),
        ("warning_needs_response", False),
        ("warning_closed", False),
    ],
)
def test_a_dispute_moves_money_while_the_bank_has_it(
    settings: Settings, status: str, has_the_money: bool
) -> None:
    expected = Movement(
        MovementKind.DISPUTE, "dp_1", "pay_1", Money(150_000, "KES"), at(1_790_000_200)
    )
    read = movements(settings, "disputes", dispute(status=status, charge=charge()))[0]
    assert read == ([expected] if has_the_money else [])


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        *(("charges", charge(**{name: None})) for name in ("id", "currency")),
        ("charges", charge(amount_captured="150000")),
        ("charges", charge(currency="new")),
        ("charges", charge(balance_transaction={})),
        ("charges", {}),
        ("charges", 5),
        *(("refunds", refund(**{name: None})) for name in ("id", "amount", "created")),
        *(("disputes", dispute(**{name: None})) for name in ("id", "amount", "status")),
    ],
)
def test_books_that_can_not_be_read_are_an_error(settings: Settings, kind: str, odd: Any) -> None:
    with pytest.raises(PspUnavailable):
        movements(settings, kind, odd)
