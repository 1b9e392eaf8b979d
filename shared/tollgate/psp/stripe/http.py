"""How the Stripe SDK sends: through httpx, with one deadline for the whole request."""

from collections.abc import Mapping
from typing import Any

import httpx
import stripe

from tollgate.psp.deadline import DeadlineTransport


class DeadlineClient(stripe.HTTPClient):
    """What the SDK asks of an HTTP client, and no more: its own opens an asynchronous one too."""

    name = "httpx"

    def __init__(self, seconds: float) -> None:
        super().__init__()
        # no proxy of the environment, as in client.py
        self._http = httpx.Client(
            transport=DeadlineTransport(seconds), timeout=seconds, trust_env=False
        )

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Sends one request. Raises httpx.HTTPError."""
        response = self._http.request(method, url, headers=headers, content=post_data)
        return response.text, response.status_code, response.headers

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()
