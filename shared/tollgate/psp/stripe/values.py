"""What Stripe's answers are made of besides text: money, instants, objects within objects."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tollgate.domain.money import Money
from tollgate.psp.answers import optional_text, text
from tollgate.psp.stripe.amounts import from_stripe


def money(amount: object, currency: str) -> Money | None:
    """Stripe's amount as money; None for money that we can't have asked. Raises TypeError."""
    if type(amount) is not int:
        raise TypeError
    return from_stripe(amount, currency)


def stated_money(subject: Mapping[str, Any], field: str = "amount") -> Money:
    """The money of an object that is about nothing else. Raises one of NOT_AS_DOCUMENTED."""
    stated = money(subject[field], subject["currency"])
    if stated is None or stated.amount_minor < 0:
        raise ValueError
    return stated


def instant(timestamp: float) -> datetime:
    """Stripe's seconds since 1970. Raises OverflowError, TypeError, ValueError."""
    return datetime.fromtimestamp(timestamp, UTC)


def expanded(value: object) -> Mapping[str, Any] | None:
    """An object that was asked to be expanded; None where there is only its id, or nothing."""
    return value if isinstance(value, Mapping) else None


def id_of(value: object) -> str | None:
    """The id of an object, expanded or not; None where there is none. Raises ValueError."""
    inner = expanded(value)
    return optional_text(inner["id"] if inner is not None else value)


def our_reference(subject: Mapping[str, Any] | None, name: str) -> str | None:
    """What we put into an object's metadata. None for what others put there under that name."""
    metadata = (subject or {}).get("metadata")
    try:
        return text(metadata.get(name)) if isinstance(metadata, Mapping) else None
    except ValueError:
        return None
