"""The environment of a function: the only reader of os.environ."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from tollgate.domain.errors import Misconfigured
from tollgate.domain.keyring import Keyring

Value = TypeVar("Value")

LEFT_OUT = "none"
"""Stands in the environment for a value that is not given: the deployer takes no empty one."""


@dataclass(frozen=True)
class Settings:
    """What project.yml gives a function: a secret is there only where it is needed."""

    livemode: bool
    """Whether money moves: keys and PSP events of the other mode are refused."""
    database_url: str
    redis_url: str
    cache_secret: bytes
    """Seals what is kept in Redis, so that nothing else can put words into our mouth."""
    public_url: str
    """Where the functions are reached: https://…/api/v1/web/fn-…, without a slash at the end."""
    access_token_keys: Keyring
    """Signs access tokens (HMAC), which only our own functions read."""
    entitlement_keys: Keyring | None = None
    """Signs entitlements (Ed25519 seeds), which anyone verifies by auth/keys."""
    pay_link_keys: Keyring | None = None
    """Signs the links to the pay page (HMAC)."""
    field_keys: Keyring | None = None
    """Encrypts personal data and what PSPs send."""
    psp_values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the PSPs' adapters need, by its name in the environment: PAYPAL_CLIENT_ID, …"""

    def psp_value(self, name: str) -> str:
        """A setting of a PSP. Raises Misconfigured, which names it."""
        return needed(self.find_psp_value(name), name)

    def find_psp_value(self, name: str) -> str | None:
        """A setting of a PSP; None where this deployment leaves it out (`none`)."""
        value = self.psp_values.get(name)
        return value if value and value != LEFT_OUT else None

    @classmethod
    def from_environment(cls) -> "Settings":
        """Reads os.environ. Raises Misconfigured, which names what is missing, not its value."""
        return cls(
            livemode=_is_live(),
            database_url=_required("DATABASE_URL"),
            redis_url=_required("REDIS_URL"),
            cache_secret=_required("CACHE_SECRET").encode(),
            public_url=_required("TOLLGATE_URL").rstrip("/"),
            access_token_keys=needed(_keyring("ACCESS_TOKEN_KEYS"), "ACCESS_TOKEN_KEYS"),
            entitlement_keys=_keyring("ENTITLEMENT_KEYS"),
            pay_link_keys=_keyring("PAY_LINK_KEYS"),
            field_keys=_keyring("FIELD_KEYS"),
            psp_values=dict(os.environ),
        )

    @classmethod
    def of_operator(cls) -> "Settings":
        """What the operator's command needs of os.environ: the mode, the database (a login that
        owns the tables), and, where it works with these, the keys of fields and of PSPs. Raises
        Misconfigured."""
        return cls(
            livemode=_is_live(),
            database_url=_required("DATABASE_URL"),
            redis_url="",
            cache_secret=b"",
            public_url="",
            access_token_keys=Keyring({}),
            field_keys=_keyring("FIELD_KEYS"),
            psp_values=dict(os.environ),
        )


def needed(value: Value | None, name: str) -> Value:
    """A setting that this function can't do without. Raises Misconfigured."""
    if value is None:
        raise Misconfigured(f"The setting {name} is missing: add it in project.yml and deploy.")
    return value


def _required(name: str) -> str:
    return needed(os.environ.get(name) or None, name)


def _keyring(name: str) -> Keyring | None:
    text = os.environ.get(name)
    try:
        return Keyring.parse(text) if text else None
    except ValueError as error:
        raise Misconfigured(f"The setting {name} can't be read: {error}.") from None


def _is_live() -> bool:
    mode = _required("TOLLGATE_MODE")
    if mode not in ("test", "live"):
        raise Misconfigured("TOLLGATE_MODE must be test or live.")
    return mode == "live"
