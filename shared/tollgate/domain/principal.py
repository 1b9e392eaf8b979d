"""Who calls, and whose data that opens."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Role(StrEnum):
    """What a caller is: an operator, one app, or one client of an app."""

    ADMIN = "admin"
    APP = "app"
    CLIENT = "client"


@dataclass(frozen=True)
class Tenant:
    """Whose rows may be seen: an app's, or of these only what is one client's, to read."""

    app_id: str
    client_id: str = ""


NO_TENANT = Tenant("")
EVERY_TENANT = Tenant("*")
"""For operators, and for what must be found before it is known whose it is."""


@dataclass(frozen=True)
class Principal:
    """An authenticated caller. `app_id` is empty for an operator; `key_id` may be logged.

    `client_id` is set for a client. `scopes` is what this caller's key or token is for. `operator`
    is set where somebody works at the command line, without a key.
    """

    role: Role
    app_id: str
    key_id: str
    client_id: str = ""
    scopes: frozenset[str] = frozenset()
    by_token: bool = False
    operator: str = ""

    @property
    def actor(self) -> str:
        """How the audit log names this caller."""
        return f"operator:{self.operator}" if self.operator else f"key:{self.key_id}"

    @property
    def tenant(self) -> Tenant:
        """Whose data this caller may see."""
        return EVERY_TENANT if self.role is Role.ADMIN else Tenant(self.app_id, self.client_id)


@dataclass(frozen=True)
class ApiKey:
    """An API key as its row stands; the secret is known by its SHA-256 only.

    `scopes` None: everything that its role may. `revoked_at` also when its app was deleted.
    """

    id: str
    role: Role
    app_id: str
    name: str
    livemode: bool
    secret_sha256: bytes
    scopes: tuple[str, ...] | None
    calls_per_minute: int
    app_calls_per_minute: int
    """0 for an operator's key, which has no app."""
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def unknown_key(key_id: str) -> ApiKey:
    """What stands for a key that there is none of: one that was revoked, and whose secret nobody
    can have. So a guess costs the same work, whether it hit a key or not."""
    return ApiKey(
        id=key_id,
        role=Role.APP,
        app_id="app_0",
        name="unknown",
        livemode=False,
        secret_sha256=bytes(32),
        scopes=None,
        calls_per_minute=1,
        app_calls_per_minute=1,
        created_at=_LONG_AGO,
        expires_at=None,
        revoked_at=_LONG_AGO,
        last_used_at=None,
    )


@dataclass(frozen=True)
class NewKey:
    """A key that was just made, with the text that its holder keeps and we don't."""

    key: ApiKey
    text: str = field(repr=False)
