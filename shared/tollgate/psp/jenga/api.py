"""Jenga's API: the token we are known by, and what an answer means before it is read.

`status: true` only says that the call worked, not that anybody paid. A `code` is a number, or the
text of one. Sources: Jenga's guides on authentication and error responses.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.psp_token import Token
from tollgate.psp.answers import NOT_AS_DOCUMENTED, as_documented, mapping, text
from tollgate.psp.client import Client
from tollgate.psp.protocol import Tokens
from tollgate.settings import Settings

if TYPE_CHECKING:
    import httpx

LIVE_URL = "https://api.finserve.africa"
TEST_URL = "https://uat.finserve.africa"

ACCEPTED = 0
DUPLICATE_REFERENCE = 400101
REFUSALS = frozenset({400400, 501501})
"""This order can't be taken: it can't be read, or there is no rate for its currency."""
_OUR_SETTINGS = frozenset(
    {900100, 900101, 900102, 401101, 401201, 401202, 104101, 104102, 104104, 104105}
)
"""The signature, what this merchant may do, its accounts, its charges: a person must mend it."""

TOKEN_MARGIN_SECONDS = 300
"""A token goes into the form of a checkout: it has to live while the client is on the way there."""


@dataclass(frozen=True)
class Answer:
    """What Jenga answered: a JSON object in its usual envelope, whatever the HTTP status."""

    http_status: int
    body: Mapping[str, Any]

    @property
    def code(self) -> int | None:
        """Why it was refused, or 0; None where that is not told."""
        try:
            return code_of(self.body.get("code"))
        except ValueError:
            return None

    @property
    def is_accepted(self) -> bool:
        """Whether Jenga took what it was asked to do."""
        worked = self.http_status == 200 and self.body.get("status") is True
        return worked and self.code == ACCEPTED


class Api:
    """Requests to Jenga, each under the token that the merchant is known by for a while."""

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens

    def token(self, refused: str | None = None) -> str:
        """The token; another one where it is the `refused`. Raises PspUnavailable, Misconfigured.

        It lives for TOKEN_MARGIN_SECONDS at least, where Jenga's tokens live longer than that.
        """
        merchant = self._settings.psp_value("JENGA_MERCHANT_CODE")
        mark = hashlib.sha256(f"{merchant} {self._url}".encode()).hexdigest()[:16]
        return self._tokens.get(f"jenga:{mark}", self._fetch_token, refused)

    def find(self, path: str, signature: str | None = None) -> Mapping[str, Any] | None:
        """What Jenga tells at this path; None where it says that it knows none such.

        The words for the latter are not documented, so only its own 404 counts. Raises
        PspUnavailable, Misconfigured.
        """
        signed = {"Signature": signature} if signature is not None else {}
        response = self._as_known(
            lambda bearer: self._client.read("GET", path, headers=bearer | signed)
        )
        with as_documented("Jenga"):
            answer = _answer(response)
            _refuse_wrong_settings(answer)
            if answer.http_status == 200 and answer.body["status"] is True:
                return answer.body
            if answer.http_status == 404 and answer.body["status"] is False:
                return None
        raise PspUnavailable("Jenga can't be read just now.")

    def send(self, path: str, body: bytes, signature: str) -> Answer | None:
        """Posts JSON. None where nobody knows what came of it.

        Raises PspUnavailable and Misconfigured where it is certain that nothing was done.
        """
        headers = {"Content-Type": "application/json", "Signature": signature}
        response = self._as_known(
            lambda bearer: self._client.send("POST", path, headers=bearer | headers, content=body)
        )
        if response is None:
            return None
        if response.status_code == 429:
            raise PspUnavailable("Jenga refuses more requests for the moment.")
        try:
            answer = _answer(response)
        except NOT_AS_DOCUMENTED:
            return None
        _refuse_wrong_settings(answer)
        return answer

    def _as_known(
        self, ask: "Callable[[dict[str, str]], httpx.Response | None]"
    ) -> "httpx.Response | None":
        """What is answered under a token that Jenga knows: a 401 is for asking with a new one."""
        token = self.token()
        response = ask(_bearer(token))
        if response is not None and response.status_code == 401:
            response = ask(_bearer(self.token(refused=token)))
            if response is not None and response.status_code == 401:
                raise Misconfigured("Jenga refuses this merchant, though it gave it a token.")
        return response

    def _fetch_token(self) -> Token:
        """Asks for a token. `expiresIn` is an instant, not seconds: by Jenga's own clock, as
        `issuedAt` is."""
        value = self._settings.psp_value
        who = {
            "merchantCode": value("JENGA_MERCHANT_CODE"),
            "consumerSecret": value("JENGA_CONSUMER_SECRET"),
        }
        response = self._client.read(
            "POST",
            "/authentication/api/v3/authenticate/merchant",
            headers={"Api-Key": value("JENGA_API_KEY")},
            json=who,
        )
        if response.status_code in (401, 403):
            raise Misconfigured("Jenga refuses this deployment's API key or consumer secret.")
        with as_documented("Jenga"):
            if response.status_code != 200:
                raise ValueError
            said = mapping(json.loads(response.content))
            expires_at = datetime.fromisoformat(said["expiresIn"])
            lives = (expires_at - datetime.fromisoformat(said["issuedAt"])).total_seconds()
            token = text(said["accessToken"], max_length=8192)
        return Token(token, max(lives - TOKEN_MARGIN_SECONDS, 0))

    @cached_property
    def _client(self) -> Client:
        return Client("Jenga", self._url)

    @property
    def _url(self) -> str:
        ours = LIVE_URL if self._settings.livemode else TEST_URL
        return self._settings.find_psp_value("JENGA_API_URL") or ours


def code_of(said: object) -> int:
    """A code, which Jenga writes as a number or as text. Raises ValueError."""
    if isinstance(said, int) and not isinstance(said, bool):
        return said
    if isinstance(said, str) and re.fullmatch(r"-?[0-9]{1,9}", said):
        return int(said)
    raise ValueError


def _answer(response: "httpx.Response | None") -> Answer:
    """Raises one of NOT_AS_DOCUMENTED."""
    if response is None:
        raise ValueError
    body = mapping(json.loads(response.content, parse_float=Decimal))
    return Answer(response.status_code, body)


def _refuse_wrong_settings(answer: Answer) -> None:
    if answer.body.get("status") is False and answer.code in _OUR_SETTINGS:
        raise Misconfigured(
            f"Jenga refuses this merchant's requests with code {answer.code}: see its key, "
            "products and accounts in JengaHQ."
        )


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
