"""What a client reads who comes back from a PSP, where the app has no page for that."""

import pytest

from tests.operations.paying import PLAN, create, refund
from tests.world import Answer, World
from tollgate.domain.payment import PaymentStatus

PAID = "Thank you, it is paid"


def come_back(world: World, query: str = "") -> Answer:
    """The browser, with no key, and no page of the app's to go on to."""
    ((payment_id,),) = world.rows("SELECT id FROM payments")
    return world.call(
        "payments/return", method="GET", path=f"/{payment_id}", query=query, key="none"
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (PaymentStatus.SUCCEEDED, PAID),
        (PaymentStatus.REQUIRES_ACTION, "Waiting for your payment"),
        (PaymentStatus.PROCESSING, "Please do not pay again"),
        (PaymentStatus.FAILED, "Nothing was charged"),
        (PaymentStatus.CANCELED, "Nothing was charged"),
        (PaymentStatus.EXPIRED, "Nothing was charged"),
    ],
)
def test_says_what_became_of_the_payment(world: World, status: PaymentStatus, words: str) -> None:
    assert create(world, PLAN).status == 201
    world.psp.status = status
    page = come_back(world)
    assert page.status == 200 and words in page.body
    assert (PAID in page.body) is (status is PaymentStatus.SUCCEEDED)


def test_says_when_the_money_went_back(world: World) -> None:
    payment_id = create(world, PLAN).json["id"]
    world.psp.status = PaymentStatus.SUCCEEDED
    come_back(world)
    assert refund(world, payment_id).status == 201
    page = come_back(world).body
    assert "The money was given back" in page and PAID not in page


def test_does_not_ask_for_more_while_somebody_must_look_at_it(world: World) -> None:
    create(world, PLAN)
    world.psp.status = PaymentStatus.NEEDS_REVIEW
    assert "We are checking your payment" in come_back(world).body


def test_is_read_in_swahili_and_loads_nothing(world: World) -> None:
    create(world, PLAN)
    world.psp.status = PaymentStatus.SUCCEEDED
    page = come_back(world, "lang=sw")
    assert '<html lang="sw">' in page.body and "Asante" in page.body
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["cache-control"] == "no-store"
