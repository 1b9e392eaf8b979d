"""The token of five minutes: kept, fetched again once it is refused, and never told."""

import traceback

import httpx
import pytest
import respx

from tests.psp.kept_tokens import KeptTokens
from tests.psp.pesapal_values import (
    API,
    STATUS,
    SUBMIT,
    TOKEN,
    TRACKING_ID,
    order_of,
    refused,
    settings_of,
    status_of,
    token,
)
from tollgate.domain.errors import Misconfigured, PspUnavailable, TollgateError
from tollgate.domain.payment import PaymentStatus
from tollgate.psp.pesapal.adapter import Pesapal
from tollgate.psp.pesapal.api import TOKEN_LIVES_SECONDS


def fetch(tokens: KeptTokens, *answers: httpx.Response, given: list[httpx.Response]) -> list[str]:
    """What the requests for a status were authorized by; Pesapal gives these tokens."""
    with respx.mock:
        respx.post(TOKEN).mock(side_effect=given)
        route = respx.get(STATUS).mock(side_effect=answers)
        Pesapal(settings_of(), tokens).fetch(TRACKING_ID)
        return [call.request.headers["authorization"] for call in route.calls]


def good() -> httpx.Response:
    return httpx.Response(200, json=status_of())


def test_one_token_serves_many_requests() -> None:
    tokens = KeptTokens()
    assert fetch(tokens, good(), given=[token("a")]) == ["Bearer a"]
    assert fetch(tokens, good(), given=[]) == ["Bearer a"]
    assert [kept.lives_seconds for kept in tokens.kept.values()] == [TOKEN_LIVES_SECONDS]
    assert TOKEN_LIVES_SECONDS <= 240


@pytest.mark.parametrize(
    "refusal",
    [
        httpx.Response(401),
        httpx.Response(401, html="<h1>Unauthorized</h1>"),
        httpx.Response(200, json={"status": "401", "error": None}),
        refused("invalid_token", status=401),
    ],
)
def test_a_refused_token_is_fetched_again_once(refusal: httpx.Response) -> None:
    tokens = KeptTokens()
    used = fetch(tokens, refusal, good(), given=[token("a"), token("b")])
    assert used == ["Bearer a", "Bearer b"]
    with pytest.raises(PspUnavailable):
        fetch(KeptTokens(), refusal, refusal, given=[token("a"), token("b")])


def test_a_request_that_was_refused_did_nothing_and_is_sent_again() -> None:
    page = "https://cybqa.pesapal.com/page"
    opened = {
        "order_tracking_id": TRACKING_ID,
        "merchant_reference": "pay_1.a",
        "redirect_url": page,
        "status": "200",
    }
    answers = [httpx.Response(401), httpx.Response(200, json=opened)]
    with respx.mock:
        respx.post(TOKEN).mock(side_effect=[token("a"), token("b")])
        route = respx.post(SUBMIT).mock(side_effect=answers)
        outcome = Pesapal(settings_of(), KeptTokens()).start(order_of())
    assert outcome.status is PaymentStatus.REQUIRES_ACTION
    first, second = (call.request.content for call in route.calls)
    assert first == second


@pytest.mark.parametrize(
    "answer",
    [
        refused("invalid_consumer_key_or_secret_provided"),
        refused("invalid_consumer_key_or_secret_provided", status=500),
        httpx.Response(401),
    ],
)
def test_refused_keys_are_a_setting_to_mend(answer: httpx.Response) -> None:
    with respx.mock:
        respx.post(TOKEN).mock(return_value=answer)
        with pytest.raises(Misconfigured):
            Pesapal(settings_of(), KeptTokens()).start(order_of())


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("no"),
        httpx.Response(503),
        httpx.Response(200, html="<h1>One moment</h1>"),
        httpx.Response(200, json={"token": "", "status": "200"}),
        httpx.Response(200, json={"token": "a\r\nb", "status": "200"}),
        httpx.Response(200, json={"token": "é", "status": "200"}),
        httpx.Response(200, json={"token": "a", "status": "500"}),
        httpx.Response(200, json={"token": None, "error": {"code": "x"}, "status": "200"}),
    ],
)
def test_without_a_token_nothing_was_done(answer: httpx.Response | Exception) -> None:
    with respx.mock:
        respx.post(TOKEN).mock(side_effect=[answer])
        with pytest.raises(PspUnavailable):
            Pesapal(settings_of(), KeptTokens()).start(order_of())


def test_another_account_or_address_has_another_token() -> None:
    tokens = KeptTokens()
    others = {"PESAPAL_CONSUMER_KEY": "another"}, {"PESAPAL_API_URL": "https://x.example"}
    for more in ({}, *others):
        base = more.get("PESAPAL_API_URL", API.removesuffix("/api"))
        with respx.mock:
            respx.post(f"{base}/api/Auth/RequestToken").mock(return_value=token())
            respx.get(url__startswith=f"{base}/api/Transactions").mock(return_value=good())
            Pesapal(settings_of(values=more), tokens).fetch(TRACKING_ID)
    assert len(tokens.kept) == 3
    assert not any("key-of-the-suite" in name for name in tokens.kept)


def test_no_error_repeats_a_secret() -> None:
    secrets = ("secret+of/the=suite", "eyJ.of.suite", "key-of-the-suite")
    for answer in (refused("invalid_consumer"), httpx.Response(500, text=" ".join(secrets))):
        with respx.mock:
            respx.post(TOKEN).mock(return_value=answer)
            with pytest.raises(TollgateError) as raised:
                Pesapal(settings_of(), KeptTokens()).start(order_of())
        told = "".join(traceback.format_exception_only(raised.value)) + raised.value.detail
        assert not any(secret in told for secret in secrets)
