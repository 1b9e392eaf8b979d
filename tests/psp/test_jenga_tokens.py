"""The token that Jenga knows us by: how it is asked for, kept, and for how long."""

import json

import httpx
import pytest

from tests.psp.jenga_values import (
    TOKEN,
    jenga_answers,
    order_of,
    refusal,
    settings_of,
    token,
)
from tests.psp.kept_tokens import KeptTokens
from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.psp.jenga.adapter import Jenga


def kept(answer: httpx.Response | Exception, **values: str) -> KeptTokens:
    """What is kept after a checkout was opened."""
    tokens = KeptTokens()
    with jenga_answers() as router:
        router.post(TOKEN).mock(side_effect=[answer])
        Jenga(settings_of(**values), tokens).start(order_of())
    return tokens


def test_it_is_asked_for_as_documented() -> None:
    with jenga_answers() as router:
        Jenga(settings_of(), KeptTokens()).start(order_of())
        request = router.calls.last.request
    assert request.headers["Api-Key"] == "api-key-of-the-suite"
    assert json.loads(request.content) == {
        "merchantCode": "9837446275",
        "consumerSecret": "consumer-secret-of-the-suite",
    }


LIVES = [
    ("2026-01-01T12:15:00Z", "2026-01-01T12:00:00Z", 600),
    ("2026-01-01T15:15:00+03:00", "2026-01-01T12:00:00Z", 600),
    ("2026-01-01T12:15:00", "2026-01-01T12:00:00", 600),
    ("2026-01-01T12:15:00.1234567Z", "2026-01-01T12:00:00.1234567Z", 600),
    ("2026-01-01T12:05:00Z", "2026-01-01T12:00:00Z", 0),
    ("2026-01-01T12:01:00Z", "2026-01-01T12:00:00Z", 0),
]


@pytest.mark.parametrize(("expires", "issued", "seconds"), LIVES)
def test_it_is_kept_so_that_the_client_has_time_left(
    expires: str, issued: str, seconds: float
) -> None:
    """By Jenga's clock alone: ours is not asked."""
    (one,) = kept(token(expiresIn=expires, issuedAt=issued)).kept.values()
    assert (one.value, one.lives_seconds) == ("eyJ.1", seconds)


def test_it_is_named_after_the_merchant_and_the_address() -> None:
    names = {
        *kept(token()).kept,
        *kept(token()).kept,
        *kept(token(), JENGA_MERCHANT_CODE="1234567890").kept,
    }
    assert len(names) == 2
    assert all(name.startswith("jenga:") and len(name) < 40 for name in names)
    assert not any("9837446275" in name for name in names)


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_are_a_setting_to_mend(status: int) -> None:
    with pytest.raises(Misconfigured) as raised:
        kept(refusal(401, status))
    assert "secret-of-the-suite" not in str(raised.value)


GARBAGE = [
    httpx.Response(500),
    httpx.Response(200, text="<html>"),
    httpx.Response(200, json=[]),
    httpx.Response(200, json={}),
    token(accessToken=None),
    token(accessToken=""),
    token(accessToken="a\r\nb"),
    token(expiresIn=900),
    token(expiresIn="soon"),
    token(issuedAt=None),
    token(issuedAt="2026-01-01T12:00:00"),
    httpx.ConnectError("no"),
    httpx.ReadTimeout("slow"),
]


@pytest.mark.parametrize("answer", GARBAGE, ids=repr)
def test_without_a_token_nothing_is_sent(answer: httpx.Response | Exception) -> None:
    with pytest.raises(PspUnavailable):
        kept(answer)
