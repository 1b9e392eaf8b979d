"""Looking for a payment at Jenga by our own reference."""

import httpx
import pytest

from tests.psp.jenga_values import (
    CHECKOUT,
    CREATED_AT,
    DETAILS,
    ORDER,
    PAYMENT_ID,
    PUSHED,
    details,
    invoice,
    jenga_answers,
    jenga_of,
    pushed,
    refusal,
)
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import PaymentStatus as S


def found(order: httpx.Response, transaction: httpx.Response) -> Outcome | None:
    with jenga_answers() as router:
        router.get(f"{ORDER}/{PUSHED}").mock(return_value=order)
        router.get(f"{DETAILS}/{CHECKOUT}").mock(return_value=transaction)
        return jenga_of().find(PAYMENT_ID, CREATED_AT)


def test_a_payment_is_found_by_our_reference_either_way() -> None:
    none, order = refusal(404, 404), httpx.Response(200, json=pushed(invoice()))
    transaction = httpx.Response(200, json=details())
    assert found(none, none) is None
    by_push, by_checkout = found(order, none), found(none, transaction)
    assert by_push is not None
    assert by_checkout is not None
    assert (by_push.psp_reference, by_push.status) == (PUSHED, S.REQUIRES_ACTION)
    assert (by_checkout.psp_reference, by_checkout.status) == (CHECKOUT, S.SUCCEEDED)


def test_a_payment_that_one_query_cannot_tell_of_may_be_there() -> None:
    none, away = refusal(404, 404), refusal(500200, 500)
    for order, transaction in ((away, none), (none, away)):
        with pytest.raises(PspUnavailable):
            found(order, transaction)
