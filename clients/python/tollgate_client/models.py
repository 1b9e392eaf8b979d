"""The answers. Fields that this version does not know are passed over; new ones may come."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

from tollgate_client.errors import UnexpectedAnswer


@dataclass(frozen=True)
class Payment:
    """A payment. `amount` is in minor units of `currency` (ISO 4217).

    `status` is one of: pending (recorded; what the PSP did with it is not known yet),
    requires_action, processing, authorized, succeeded, failed, canceled, expired,
    partially_refunded, refunded, disputed, needs_review.
    """

    id: str
    client_id: str
    amount: int
    amount_refunded: int
    currency: str
    status: str
    psp: str
    psp_reference: str | None
    method: str | None
    plan: str | None
    product: str | None
    subscription_id: str | None
    description: str | None
    metadata: dict[str, str]
    next_action: dict[str, Any] | None = field(repr=False)
    failure: dict[str, Any] | None
    livemode: bool
    created_at: datetime
    updated_at: datetime
    expires_at: datetime

    @property
    def redirect_url(self) -> str | None:
        """Where to send the client's browser to pay; None when there is nothing to open."""
        action = self.next_action or {}
        url = action.get("url") if action.get("type") == "redirect" else None
        return url if isinstance(url, str) else None


@dataclass(frozen=True)
class Subscription:
    """A subscription; `status` is as of the answer.

    `status` is one of: incomplete (nothing was paid yet), trialing, active, past_due, paused,
    canceled, expired. `pay_url` is the page where the client pays what is due; None when nothing
    is asked for just now.
    """

    id: str
    client_id: str
    product: str
    plan: str
    next_plan: str | None
    status: str
    paid_through: datetime | None
    trial_end: datetime | None
    grace_until: datetime | None
    paused_at: datetime | None
    resumes_at: datetime | None
    cancel_at: datetime | None
    currency: str | None
    renewal: dict[str, Any]
    pay_url: str | None = field(repr=False)
    livemode: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Check:
    """Whether a client has paid, and why the answer is what it is.

    `reason` is one of: paid, trial, grace, canceled_but_paid, paused, expired, payment_pending,
    refunded, disputed, never_subscribed. `entitlement` proves the answer to whoever holds the
    public keys; None for a client who is not active.
    """

    client_id: str
    product: str | None
    active: bool
    reason: str
    status: str | None
    plan: str | None
    subscription_id: str | None
    paid_through: datetime | None
    trial_end: datetime | None
    grace_until: datetime | None
    paused_at: datetime | None
    cancel_at: datetime | None
    as_of: datetime
    source: str
    pay_url: str | None
    entitlement: str | None = field(repr=False)


@dataclass(frozen=True)
class ClientToken:
    """A token for one client's own browser or device: it reads that client's data only."""

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int
    scope: str | None


Model = TypeVar("Model", Payment, Subscription, Check, ClientToken)


def read(model: type[Model], answer: Mapping[str, Any]) -> Model:
    """The answer as this dataclass. Raises UnexpectedAnswer when a field is missing or odd."""
    values: dict[str, Any] = {}
    for wanted in fields(model):
        try:
            values[wanted.name] = _value(wanted.type, answer[wanted.name])
        except (KeyError, TypeError, ValueError):
            name = f"{model.__name__}.{wanted.name}"
            raise UnexpectedAnswer(f"The answer has no usable {name}.") from None
    return model(**values)


def instant(text: str) -> datetime:
    """Reads RFC 3339. Raises ValueError, also for a time without its zone."""
    # Python 3.10 does not read the Z
    parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if parsed.tzinfo is None:
        raise ValueError("a time without its zone")
    return parsed


def _value(wanted: Any, value: object) -> object:
    kinds = get_args(wanted) if isinstance(wanted, UnionType) else (wanted,)
    if datetime in kinds and isinstance(value, str):
        return instant(value)
    # exact: a string is not a truth, and True is not a number
    if type(value) not in [get_origin(kind) or kind for kind in kinds]:
        raise TypeError
    return value
