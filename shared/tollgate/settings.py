"""The environment of a function: the only reader of os.environ."""

import os
from dataclasses import dataclass

from tollgate.domain.errors import Misconfigured


@dataclass(frozen=True)
class Settings:
    """What project.yml gives a function. A PSP's settings are there only where it is called."""

    livemode: bool
    """Whether money moves: keys and PSP events of the other mode are refused."""
    database_url: str
    redis_url: str
    cache_secret: bytes
    """Seals what is kept in Redis, so that nothing else can put words into our mouth."""
    public_url: str
    """Where the functions are reached: https://…/api/v1/web/fn-…, without a slash at the end."""
    stripe_secret_key: str | None = None
    stripe_webhook_secret: str | None = None
    stripe_api_url: str | None = None

    @classmethod
    def from_environment(cls) -> "Settings":
        """Reads os.environ. Raises Misconfigured, which names what is missing, not its value."""
        return cls(
            livemode=_is_live(),
            database_url=_required("DATABASE_URL"),
            redis_url=_required("REDIS_URL"),
            cache_secret=_required("CACHE_SECRET").encode(),
            public_url=_required("TOLLGATE_URL").rstrip("/"),
            stripe_secret_key=os.environ.get("STRIPE_SECRET_KEY"),
            stripe_webhook_secret=os.environ.get("STRIPE_WEBHOOK_SECRET"),
            stripe_api_url=os.environ.get("STRIPE_API_URL"),
        )


@dataclass(frozen=True)
class OperatorSettings:
    """What the operator's command needs: a login that owns the tables, and the mode of keys."""

    livemode: bool
    database_url: str

    @classmethod
    def from_environment(cls) -> "OperatorSettings":
        """Reads os.environ. Raises Misconfigured, which names what is missing, not its value."""
        return cls(livemode=_is_live(), database_url=_required("DATABASE_URL"))


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise Misconfigured(f"The setting {name} is missing: add it in project.yml and deploy.")
    return value


def _is_live() -> bool:
    mode = _required("TOLLGATE_MODE")
    if mode not in ("test", "live"):
        raise Misconfigured("TOLLGATE_MODE must be test or live.")
    return mode == "live"
