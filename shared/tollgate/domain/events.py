"""What Tollgate tells the apps: one member a thing that happened, in the past tense."""

from enum import StrEnum

from tollgate.domain.payment import PaymentStatus


class EventType(StrEnum):
    """The type of an event, as apps see it."""

    PAYMENT_REQUIRES_ACTION = "payment.requires_action"
    PAYMENT_PROCESSING = "payment.processing"
    PAYMENT_AUTHORIZED = "payment.authorized"
    PAYMENT_SUCCEEDED = "payment.succeeded"
    PAYMENT_FAILED = "payment.failed"
    PAYMENT_CANCELED = "payment.canceled"
    PAYMENT_EXPIRED = "payment.expired"
    PAYMENT_NEEDS_REVIEW = "payment.needs_review"
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_ACTIVATED = "subscription.activated"
    SUBSCRIPTION_RENEWED = "subscription.renewed"
    SUBSCRIPTION_PLAN_CHANGED = "subscription.plan_changed"


PAYMENT_EVENTS: dict[PaymentStatus, EventType] = {
    status: EventType(f"payment.{status}")
    for status in PaymentStatus
    if f"payment.{status}" in set(EventType)
}
"""The event that tells of a payment's arrival in a state, where there is one."""
