"""Tollgate for Python apps: take a payment, ask whether a client has paid, hear of changes."""

from tollgate_client.client import Tollgate
from tollgate_client.entitlements import Entitlement, Entitlements
from tollgate_client.errors import (
    ApiError,
    Conflict,
    ConnectionFailed,
    EntitlementRefused,
    EventRefused,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    TollgateError,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
)
from tollgate_client.events import verify_event
from tollgate_client.models import Check, ClientToken, Payment, Subscription

__all__ = [
    "ApiError",
    "Check",
    "ClientToken",
    "Conflict",
    "ConnectionFailed",
    "Entitlement",
    "EntitlementRefused",
    "Entitlements",
    "EventRefused",
    "FieldError",
    "Forbidden",
    "Invalid",
    "NotFound",
    "Payment",
    "RateLimited",
    "Subscription",
    "Tollgate",
    "TollgateError",
    "Unauthenticated",
    "Unavailable",
    "UnexpectedAnswer",
    "verify_event",
]
