"""Instants as the API writes them."""

from datetime import UTC, datetime


def rfc3339(instant: datetime) -> str:
    """`2026-01-31T09:00:00Z`: RFC 3339, in UTC."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
