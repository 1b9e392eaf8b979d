"""Plain GETs of Stripe's API: whoever only reads doesn't pay for importing the SDK.

Source: docs.stripe.com/api (authentication, versioning, pagination).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tollgate.domain.errors import PspUnavailable
from tollgate.psp.answers import as_documented, mapping, text
from tollgate.psp.client import Client

PAGE_SIZE = 100

Query = Mapping[str, str | int | list[str]]


class Reader:
    """Reads objects and lists over connections that it keeps."""

    def __init__(self, api_url: str, secret_key: str, api_version: str) -> None:
        self._client = Client("Stripe", api_url)
        self._headers = {"Authorization": f"Bearer {secret_key}", "Stripe-Version": api_version}

    def get(self, path: str, query: Query) -> Mapping[str, Any]:
        """One object. Raises PspUnavailable for whatever else comes of it."""
        response = self._client.read("GET", path, params=dict(query), headers=self._headers)
        with as_documented("Stripe"):
            if response.status_code != 200:
                raise ValueError
            return mapping(response.json())

    def listed(self, path: str, query: Query, pages_max: int) -> Iterator[Mapping[str, Any]]:
        """Every object of a list, newest first.

        Raises PspUnavailable where the list does not end within so many pages of PAGE_SIZE.
        """
        cursor: dict[str, str] = {}
        for _ in range(pages_max):
            page = self.get(path, {**query, "limit": PAGE_SIZE, **cursor})
            with as_documented("Stripe"):
                found, has_more = list(page["data"]), page["has_more"]
                if not isinstance(has_more, bool):
                    raise TypeError  # this is no word for "that was all"
                cursor = {"starting_after": text(found[-1]["id"])} if has_more else {}
            yield from found
            if not has_more:
                return
        raise PspUnavailable("Stripe has more of these than can be read at once.")
