"""A part of a long list, and the opaque cursor that leads to the next one."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tollgate.domain.errors import FieldError, InvalidFields

MAX_LIMIT = 100
DEFAULT_LIMIT = 20
PAGE_QUERY = ("limit", "cursor")
"""The query fields of every list."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page:
    """Up to `limit` items behind the one that `after` names; from the start when it is empty."""

    limit: int = DEFAULT_LIMIT
    after: str = ""

    @property
    def fetch(self) -> int:
        """How many rows to read: one more than is shown tells whether there is a next page."""
        return self.limit + 1


@dataclass(frozen=True)
class Listing(Generic[Item]):
    """A page's items; `next_cursor` None at the end."""

    items: Sequence[Item]
    next_cursor: str | None


def read_page(query: Mapping[str, str]) -> Page:
    """The page that ?limit and ?cursor ask for. Raises InvalidFields."""
    limit = query.get("limit", str(DEFAULT_LIMIT))
    if not (
        limit.isascii() and limit.isdigit() and len(limit) < 4 and 1 <= int(limit) <= MAX_LIMIT
    ):
        raise InvalidFields(errors=(FieldError("limit", f"1 to {MAX_LIMIT}."),))
    return Page(int(limit), _read_cursor(query["cursor"]) if "cursor" in query else "")


def listing(page: Page, rows: Sequence[Item], name: Callable[[Item], str]) -> Listing[Item]:
    """The page of these rows, of which there may be one too many; `name` is what they go by."""
    shown = rows[: page.limit]
    more = len(rows) > page.limit
    return Listing(shown, _cursor(name(shown[-1])) if more else None)


def _cursor(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> str:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        after = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        after = ""
    if not (after.isascii() and after.isprintable() and 0 < len(after) <= 256):
        raise InvalidFields(errors=(FieldError("cursor", "Send next_cursor as it was given."),))
    return after
