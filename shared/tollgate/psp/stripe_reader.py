"""Plain GETs of Stripe's API: whoever only reads doesn't pay for importing the SDK.

Source: docs.stripe.com/api (authentication, versioning, pagination).
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tollgate.domain.errors import PspUnavailable
from tollgate.psp.stripe_values import as_documented, text

if TYPE_CHECKING:
    import httpx

READ_TIMEOUT_SECONDS = 5.0
"""From opening the connection to the last byte: somebody waits for a read, be it a PSP, a browser,
or the app that asks whether its client has paid."""
PAGE_SIZE = 100

Query = Mapping[str, str | int | list[str]]


class Reader:
    """Reads objects and lists over connections that it keeps."""

    def __init__(self, api_url: str, secret_key: str, api_version: str) -> None:
        self._api_url = api_url
        self._headers = {"Authorization": f"Bearer {secret_key}", "Stripe-Version": api_version}

    def get(self, path: str, query: Query) -> Mapping[str, Any]:
        """One object. Raises PspUnavailable for whatever else comes of it."""
        import httpx

        with as_documented():
            try:
                response = self._client.get(path, params=dict(query))
                answer = response.raise_for_status().json()
            except httpx.HTTPError:
                raise PspUnavailable("Stripe can't be read just now.") from None
            if not isinstance(answer, Mapping):
                raise TypeError
            return answer

    def listed(self, path: str, query: Query, pages_max: int) -> Iterator[Mapping[str, Any]]:
        """Every object of a list, newest first.

        Raises PspUnavailable where the list does not end within so many pages of PAGE_SIZE.
        """
        cursor: dict[str, str] = {}
        for _ in range(pages_max):
            page = self.get(path, {**query, "limit": PAGE_SIZE, **cursor})
            with as_documented():
                found, has_more = list(page["data"]), page["has_more"]
                if not isinstance(has_more, bool):
                    raise TypeError  # this is no word for "that was all"
                cursor = {"starting_after": text(found[-1]["id"])} if has_more else {}
            yield from found
            if not has_more:
                return
        raise PspUnavailable("Stripe has more of these than can be read at once.")

    @cached_property
    def _client(self) -> "httpx.Client":
        import httpx

        from tollgate.psp.deadline import DeadlineTransport

        return httpx.Client(
            base_url=self._api_url,
            headers=self._headers,
            timeout=READ_TIMEOUT_SECONDS,
            transport=DeadlineTransport(READ_TIMEOUT_SECONDS),
        )
