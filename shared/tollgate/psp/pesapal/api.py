"""Requests to Pesapal under the token of five minutes that its keys are exchanged for.

Source: developer.pesapal.com, API 3.0 (authentication; a token lives for five minutes). Test and
live differ in the host and in the first part of the path.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.psp_token import Token
from tollgate.psp.answers import as_documented, text
from tollgate.psp.client import Client
from tollgate.psp.pesapal.answers import Answer, read_answer
from tollgate.psp.protocol import Tokens
from tollgate.settings import Settings

if TYPE_CHECKING:
    import httpx

PSP = "Pesapal"
LIVE_URL = "https://pay.pesapal.com/v3"
TEST_URL = "https://cybqa.pesapal.com/pesapalv3"

TOKEN_LIVES_SECONDS = 240
"""A minute less than Pesapal says: for the way there, and for clocks that differ."""
_TOKEN_MAX_LENGTH = 4096


class Api:
    """Pesapal's API of the settings' mode, or where PESAPAL_API_URL says."""

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens
        default = LIVE_URL if settings.livemode else TEST_URL
        self._url = settings.find_psp_value("PESAPAL_API_URL") or default
        self._client = Client(PSP, self._url)

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """A question that changes nothing. Raises PspUnavailable, Misconfigured."""
        answer = self._authorized(
            lambda headers: self._client.read("GET", path, params=query, headers=headers)
        )
        assert answer is not None  # a read that finds nobody raises
        return answer

    def send(self, path: str, content: Mapping[str, Any]) -> Answer | None:
        """A request that does something; None where nobody knows whether it did.

        Raises PspUnavailable and Misconfigured where it is certain that nothing was done.
        """
        answer = self._authorized(
            lambda headers: self._client.send("POST", path, json=content, headers=headers)
        )
        if answer is not None and answer.http_status == 429:
            raise PspUnavailable("Pesapal refuses more requests for the moment.")
        return answer

    def _authorized(
        self, ask: "Callable[[dict[str, str]], httpx.Response | None]"
    ) -> Answer | None:
        """The answer under our token; asked once more under a new one where it is refused."""
        token = self._tokens.get(self._token_name, self._fetch_token)
        answer = _answer(ask(_headers(token)))
        if answer is not None and answer.refuses_token:
            token = self._tokens.get(self._token_name, self._fetch_token, refused=token)
            answer = _answer(ask(_headers(token)))
            if answer is not None and answer.refuses_token:
                raise PspUnavailable("Pesapal refuses a token that it has just given.")
        return answer

    def _fetch_token(self) -> Token:
        keys = {
            "consumer_key": self._settings.psp_value("PESAPAL_CONSUMER_KEY"),
            "consumer_secret": self._settings.psp_value("PESAPAL_CONSUMER_SECRET"),
        }
        response = self._client.read(
            "POST", "/api/Auth/RequestToken", json=keys, headers={"Accept": "application/json"}
        )
        answer = read_answer(response)
        if answer.refuses_token or (answer.error_code or "").startswith("invalid_"):
            raise Misconfigured("Pesapal refuses this deployment's consumer key or secret.")
        with as_documented(PSP):
            if not answer.went_well:
                raise ValueError
            token = text(answer.body["token"], _TOKEN_MAX_LENGTH)
            if not token.isascii():
                raise ValueError  # it could not be sent in a header
            return Token(token, TOKEN_LIVES_SECONDS)

    @cached_property
    def _token_name(self) -> str:
        """Another one for another key or another Pesapal."""
        key = self._settings.psp_value("PESAPAL_CONSUMER_KEY")
        whose = f"{self._url} {key}".encode()
        return f"pesapal:{hashlib.sha256(whose).hexdigest()[:16]}"


def _answer(response: "httpx.Response | None") -> Answer | None:
    return None if response is None else read_answer(response)


def _headers(token: str) -> dict[str, str]:
    return {"Accept": "application/json", "Authorization": f"Bearer {token}"}
