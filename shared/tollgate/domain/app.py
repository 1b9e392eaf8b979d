"""An app: a tenant."""

from dataclasses import dataclass
from datetime import datetime

from tollgate.domain.routing import PspRoute

ORIGIN_PATTERN = r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$"
"""An origin without a path or a last slash: another form would never match."""

CALLS_PER_MINUTE = 600
"""What an app and a key may call unless told otherwise: as much as the platform gives them all."""


@dataclass(frozen=True)
class App:
    """An app, as its row stands.

    `return_origins` are the origins that a payment may send its client back to. `routing` orders
    the PSPs of new payments; what it says nothing of is the `default_psp`'s.
    """

    id: str
    name: str
    default_currency: str
    default_psp: str
    return_origins: tuple[str, ...]
    calls_per_minute: int
    created_at: datetime
    deleted_at: datetime | None = None
    routing: tuple[PspRoute, ...] = ()
