"""Requests to PayPal's REST API, and what its answers mean for whether anything happened.

Sources: developer.paypal.com (authentication, API responses, idempotency).
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.payment import Failure
from tollgate.domain.psp_token import Token
from tollgate.logs import log
from tollgate.psp.answers import NOT_AS_DOCUMENTED, as_documented, mapping, text
from tollgate.psp.client import Client
from tollgate.psp.protocol import Tokens
from tollgate.settings import Settings

if TYPE_CHECKING:
    import httpx

LIVE_URL = "https://api-m.paypal.com"
SANDBOX_URL = "https://api-m.sandbox.paypal.com"
TOKEN_LENGTH_MAX = 4096

_FINAL = (400, 404, 422)
"""Refused as it stands; `details` names the issue."""
_ISSUE = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)
_DEBUG_ID = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)

Answer = Mapping[str, Any]
Headers = dict[str, str]


class Api:
    """PayPal as this deployment's account reaches it: with a token, renewed once when refused."""

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens

    @property
    def url(self) -> str:
        """Of the mode, or the one that this deployment sets; without a slash at the end."""
        of_mode = LIVE_URL if self._settings.livemode else SANDBOX_URL
        return (self._settings.find_psp_value("PAYPAL_API_URL") or of_mode).rstrip("/")

    @property
    def credentials(self) -> tuple[str, str]:
        """The client id and its secret. Raises Misconfigured."""
        settings = self._settings
        return settings.psp_value("PAYPAL_CLIENT_ID"), settings.psp_value("PAYPAL_CLIENT_SECRET")

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer | None:
        """One object; None for one that PayPal does not know (404, in its own words).

        Raises PspUnavailable for whatever else comes of it; Misconfigured where PayPal refuses us.
        """
        response = self._authorized(
            lambda headers: self._client.read("GET", path, params=query or {}, headers=headers)
        )
        assert response is not None, "only `send` comes back without an answer"
        with as_documented("PayPal"):
            answer = mapping(_json(response))
            _refuse_forbidden(response.status_code, answer)
            if response.status_code == 200:
                return answer
            if response.status_code == 404 and answer["name"] == "RESOURCE_NOT_FOUND":
                return None
        raise PspUnavailable("PayPal can't be read just now.")

    def post(
        self, path: str, body: Mapping[str, Any], request_id: str, refusal: str
    ) -> Answer | Failure | None:
        """What PayPal answers; its refusal, with this sentence; None for what may or may not have
        happened: no answer, a 5xx, garbage, an earlier request of this id still under way (409).

        Raises PspUnavailable and Misconfigured where it is certain that nothing did.
        """
        wanted = {"PayPal-Request-Id": request_id, "Prefer": "return=representation"}
        response = self._authorized(
            lambda headers: self._client.send("POST", path, json=body, headers=headers | wanted)
        )
        if response is None:
            return None
        if response.status_code == 429:
            raise PspUnavailable("PayPal refuses more requests for the moment.")
        try:
            answer = mapping(_json(response))
            _refuse_forbidden(response.status_code, answer)
            if response.status_code in (200, 201):
                return answer
            if response.status_code in _FINAL:
                return _failure(response.status_code, answer, refusal)
        except NOT_AS_DOCUMENTED:
            pass
        return None

    def _authorized(
        self, call: "Callable[[Headers], httpx.Response | None]"
    ) -> "httpx.Response | None":
        token = self._tokens.get(self._token_name, self._fetch_token)
        response = call(_bearer(token))
        if response is not None and response.status_code == 401:
            token = self._tokens.get(self._token_name, self._fetch_token, refused=token)
            response = call(_bearer(token))
        if response is not None and response.status_code == 401:
            raise _refused_credentials()
        return response

    @property
    def _token_name(self) -> str:
        """Another one for another account or mode: no secret, and nothing to guess one from."""
        client_id, _ = self.credentials
        of_account = hashlib.sha256(f"{client_id}\n{self.url}".encode()).hexdigest()
        return f"paypal:{of_account[:16]}"

    def _fetch_token(self) -> Token:
        """Raises PspUnavailable, Misconfigured."""
        response = self._client.read(
            "POST",
            "/v1/oauth2/token",
            auth=self.credentials,
            data={"grant_type": "client_credentials"},
        )
        if response.status_code == 401:
            raise _refused_credentials()
        with as_documented("PayPal"):
            answer = mapping(_json(response))
            lives_seconds = float(answer["expires_in"])
            if response.status_code != 200 or not 0 < lives_seconds < float("inf"):
                raise ValueError
            return Token(text(answer["access_token"], TOKEN_LENGTH_MAX), lives_seconds)

    @cached_property
    def _client(self) -> Client:
        return Client("PayPal", self.url)


def _json(response: "httpx.Response") -> object:
    answer: object = json.loads(response.content)
    return answer


def _bearer(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


def _refused_credentials() -> Misconfigured:
    return Misconfigured("PayPal refuses this deployment's client id and secret.")


def _refuse_forbidden(status: int, answer: Answer) -> None:
    """A 403 in PayPal's own words is about our account; in a proxy's it would say nothing."""
    if status == 403 and isinstance(answer.get("name"), str):
        raise Misconfigured(
            "PayPal does not let this deployment do this: look at the features of its app in "
            "PayPal's dashboard (payments, customer disputes, vault)."
        )


def _failure(status: int, answer: Answer, refusal: str) -> Failure | None:
    """The first issue, or the error's name; None for what PayPal would not say."""
    details = answer.get("details") or ()
    issue = details[0]["issue"] if details else answer["name"]
    if not _ISSUE.fullmatch(issue):
        return None
    debug_id = answer.get("debug_id")
    known = isinstance(debug_id, str) and _DEBUG_ID.fullmatch(debug_id)
    log("paypal.refused", status=status, issue=issue, debug_id=debug_id if known else None)
    return Failure(issue.lower(), refusal)
