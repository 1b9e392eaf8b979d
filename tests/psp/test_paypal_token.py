"""The token by which PayPal knows us: when it is asked for, and what its lack means."""

import httpx
import pytest

from tests.psp.paypal_values import (
    ORDERS,
    SECRET,
    TOKEN,
    adapter,
    created,
    order_of,
    paypal_says,
    sent,
    token,
)
from tollgate.domain.errors import Misconfigured, PspUnavailable, TollgateError
from tollgate.domain.payment import PaymentStatus


def test_a_token_is_fetched_with_our_credentials_once() -> None:
    paypal = adapter()
    with paypal_says(creates=created()) as router:
        paypal.start(order_of())
        paypal.start(order_of())
    (request,) = sent(router, TOKEN)
    assert request.content == b"grant_type=client_credentials"
    assert request.headers["Authorization"].startswith("Basic ")
    assert SECRET not in str(request.url)


def test_a_refused_token_is_fetched_again_once() -> None:
    with paypal_says() as router:
        router.post(TOKEN).mock(side_effect=[token("A21AA-old"), token("A21AA-new")])
        router.post(ORDERS).mock(side_effect=[httpx.Response(401), created()])
        outcome = adapter().start(order_of())
    assert outcome.status is PaymentStatus.REQUIRES_ACTION
    used = [request.headers["Authorization"] for request in sent(router, ORDERS)]
    assert used == ["Bearer A21AA-old", "Bearer A21AA-new"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), Misconfigured),
        (httpx.Response(503), PspUnavailable),
        (httpx.Response(200, text="<html>"), PspUnavailable),
        (httpx.Response(200, json={"access_token": "", "expires_in": 1}), PspUnavailable),
        (httpx.Response(200, json={"access_token": "a", "expires_in": -1}), PspUnavailable),
        (httpx.Response(200, content=b'{"access_token":"a","expires_in":NaN}'), PspUnavailable),
        (httpx.ReadTimeout("slow"), PspUnavailable),
    ],
    ids=repr,
)
def test_without_a_token_nothing_happened(
    answer: httpx.Response | Exception, error: type[TollgateError]
) -> None:
    with paypal_says(creates=created()) as router:
        router.post(TOKEN).mock(side_effect=[answer])
        with pytest.raises(error):
            adapter().start(order_of())
    assert sent(router, ORDERS) == []


def test_another_account_has_another_token() -> None:
    names = set()
    for values in ({}, {"PAYPAL_CLIENT_ID": "other"}, {"PAYPAL_API_URL": "https://elsewhere.test"}):
        paypal = adapter(**values)
        names.add(paypal._api._token_name)
    assert len(names) == 3
    assert not any("client-of-the-suite" in name for name in names)
