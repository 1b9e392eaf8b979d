"""What Tollgate tells the apps: one member a thing that happened, in the past tense."""

from enum import StrEnum

from tollgate.domain.payment import Payment, PaymentStatus
from tollgate.domain.refund import RefundStatus


class EventType(StrEnum):
    """The type of an event, as apps see it."""

    PAYMENT_REQUIRES_ACTION = "payment.requires_action"
    PAYMENT_PROCESSING = "payment.processing"
    PAYMENT_AUTHORIZED = "payment.authorized"
    PAYMENT_SUCCEEDED = "payment.succeeded"
    PAYMENT_FAILED = "payment.failed"
    PAYMENT_CANCELED = "payment.canceled"
    PAYMENT_EXPIRED = "payment.expired"
    PAYMENT_REFUNDED = "payment.refunded"
    PAYMENT_DISPUTED = "payment.disputed"
    PAYMENT_NEEDS_REVIEW = "payment.needs_review"
    REFUND_SUCCEEDED = "refund.succeeded"
    REFUND_FAILED = "refund.failed"
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_ACTIVATED = "subscription.activated"
    SUBSCRIPTION_TRIAL_WILL_END = "subscription.trial_will_end"
    SUBSCRIPTION_RENEWAL_DUE = "subscription.renewal_due"
    SUBSCRIPTION_RENEWED = "subscription.renewed"
    SUBSCRIPTION_PAST_DUE = "subscription.past_due"
    SUBSCRIPTION_PAUSED = "subscription.paused"
    SUBSCRIPTION_RESUMED = "subscription.resumed"
    SUBSCRIPTION_CANCELED = "subscription.canceled"
    SUBSCRIPTION_EXPIRED = "subscription.expired"
    SUBSCRIPTION_PLAN_CHANGED = "subscription.plan_changed"


REFUND_EVENTS: dict[RefundStatus, EventType] = {
    RefundStatus.SUCCEEDED: EventType.REFUND_SUCCEEDED,
    RefundStatus.FAILED: EventType.REFUND_FAILED,
}
"""The event that tells of a refund's arrival in a state, where there is one."""


def payment_event(
    before: Payment, after: Payment, *, dispute_moved: bool = False
) -> EventType | None:
    """The event that tells of a payment's move, where there is one.

    A partial refund is payment.refunded as well, and a dispute's end payment.disputed: the data
    tells which. That a refund failed is told by its own event.
    """
    if before.is_paid and after.status is not PaymentStatus.NEEDS_REVIEW:
        if dispute_moved:
            return EventType.PAYMENT_DISPUTED
        more = after.amount_refunded_minor > before.amount_refunded_minor
        return EventType.PAYMENT_REFUNDED if more else None
    if after.status is before.status or after.status is PaymentStatus.PENDING:
        return None
    if after.status is PaymentStatus.PARTIALLY_REFUNDED:
        return EventType.PAYMENT_REFUNDED
    return EventType(f"payment.{after.status}")
