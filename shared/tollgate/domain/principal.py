"""Who calls."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a caller is: an operator, or one app."""

    ADMIN = "admin"
    APP = "app"


@dataclass(frozen=True)
class Principal:
    """An authenticated caller. `app_id` is empty for an operator; `key_id` may be logged."""

    role: Role
    app_id: str
    key_id: str

    @property
    def actor(self) -> str:
        """How the audit log names this caller."""
        return f"key:{self.key_id}"


@dataclass(frozen=True)
class ApiKey:
    """An API key as its row stands; the secret is known by its SHA-256 only."""

    id: str
    role: Role
    app_id: str
    livemode: bool
    secret_sha256: bytes
    expires_at: datetime | None
    revoked_at: datetime | None
