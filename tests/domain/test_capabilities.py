"""What a PSP can't do is refused by the words of what it can."""

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.psp_words import LATER, WHOLE
from tests.scripted_psp import EVERYTHING
from tollgate.domain.capabilities import (
    CancelBy,
    Capabilities,
    RefundBy,
    check_supported,
    refusal_of_all,
)
from tollgate.domain.errors import (
    CustomerIncomplete,
    FieldError,
    TollgateError,
    UnsupportedAmount,
    UnsupportedByPsp,
    UnsupportedCurrency,
    UnsupportedMethod,
)
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order, SavedMethod
from tollgate.domain.payment import Capture, Method, PaymentPage

LITTLE = Capabilities(
    currencies=frozenset({"KES", "UGX"}),
    methods=frozenset({Method.MPESA, Method.AIRTEL}),
    refund=RefundBy.MANUAL,
    cancel=CancelBy.LOCAL,
)
"""A PSP that promises nothing but what it must."""


def order(**changed: Any) -> Order:
    """The least that can be asked."""
    plain = Order(
        payment_id="pay_1",
        money=Money(WHOLE, "KES"),
        description="A month",
        return_url="https://functions.example/back",
        cancel_url="https://functions.example/left",
        expires_at=LATER,
        customer=Customer(),
    )
    return replace(plain, **changed)


BEYOND_LITTLE: list[tuple[dict[str, Any], type[TollgateError], str]] = [
    ({"money": Money(1, "USD")}, UnsupportedCurrency, "tiny takes KES, UGX; not USD."),
    ({"method": Method.CARD}, UnsupportedMethod, "tiny takes airtel, mpesa; not card."),
    ({"page": PaymentPage.EMBEDDED}, UnsupportedByPsp, "tiny can't do this: page: embedded."),
    ({"capture": Capture.MANUAL}, UnsupportedByPsp, "tiny can't do this: capture: manual."),
    ({"save_method": True}, UnsupportedByPsp, "tiny can't do this: save_method."),
    ({"saved_method": SavedMethod("c", "m")}, UnsupportedByPsp, "tiny can't do this: off_session."),
]


@pytest.mark.parametrize(("wish", "refusal", "says"), BEYOND_LITTLE)
def test_what_it_cannot_do_is_refused(
    wish: dict[str, Any], refusal: type[TollgateError], says: str
) -> None:
    check_supported("all", EVERYTHING, order(**wish))
    with pytest.raises(refusal) as refused:
        check_supported("tiny", LITTLE, order(**wish))
    assert refused.value.detail == says


@pytest.mark.parametrize("method", [None, Method.MPESA])
def test_the_least_is_within_the_least(method: Method | None) -> None:
    check_supported("tiny", LITTLE, order(method=method))


def test_several_refusals_are_one() -> None:
    fields = (FieldError("customer.phone", "needed"),)
    first = CustomerIncomplete("jenga needs a phone.", fields)
    refusal = refusal_of_all([first, UnsupportedAmount("pesapal takes whole shillings.")])
    assert type(refusal) is CustomerIncomplete
    assert refusal.detail == "jenga needs a phone. pesapal takes whole shillings."
    assert refusal.errors == fields
