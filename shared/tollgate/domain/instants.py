"""Instants as the API writes and reads them."""

import re
from datetime import MAXYEAR, UTC, datetime

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def rfc3339(instant: datetime) -> str:
    """`2026-01-31T09:00:00Z`: RFC 3339, in UTC."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_rfc3339(text: str) -> datetime | None:
    """The instant that this text is, by RFC 3339 and no other form; None when it is none."""
    try:
        return datetime.fromisoformat(text.upper()) if _RFC3339.fullmatch(text) else None
    except ValueError:  # whose text holds the value
        return None


def is_within_reach(instant: datetime) -> bool:
    """Whether its year is one in every time zone: the database tells it in its own."""
    try:
        return instant.astimezone(UTC).year < MAXYEAR
    except OverflowError:
        return False
