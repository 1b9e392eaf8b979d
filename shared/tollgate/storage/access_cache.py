"""The dates of a client's subscriptions in Redis: dates, never an answer."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from tollgate.domain.subscription import Dates, Reason
from tollgate.storage.cache import Cache
from tollgate.storage.subscriptions import ClientDates

_INSTANTS = (
    "trial_end",
    "paid_through",
    "grace_until",
    "paused_at",
    "resumes_at",
    "cancel_at",
    "next_plan_at",
)


KIND = "access"


def dates_of(value: dict[str, Any] | None) -> tuple[Dates, ...] | None:
    """What the cache's value of a client tells; None when it can't say."""
    if value is None:
        return None
    try:
        return tuple(_from_json(item) for item in value["dates"])
    except (KeyError, TypeError, ValueError):
        return None  # of a release that knew other fields


def put_dates(cache: Cache, app_id: str, client_id: str, known: ClientDates) -> None:
    """Keeps the dates, unless those of a higher version of the client are kept."""
    value = {"dates": [_to_json(item) for item in known.dates]}
    cache.put(_name(app_id, client_id), value, read_at=known.read_at, version=known.version)


def _name(app_id: str, client_id: str) -> str:
    return f"{KIND}:{app_id}:{client_id}"


def _to_json(dates: Dates) -> dict[str, Any]:
    fields = asdict(dates)
    for name in _INSTANTS:
        fields[name] = fields[name].isoformat() if fields[name] else None
    return fields


def _from_json(fields: dict[str, Any]) -> Dates:
    for name in _INSTANTS:
        fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
    fields["ended_by"] = Reason(fields["ended_by"]) if fields["ended_by"] else None
    return Dates(**fields)
