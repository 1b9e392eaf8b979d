"""Where a call can die between two steps that count: named, so that tests can kill it there.

In production nothing listens and passing one costs a dictionary's lookup. tests/chaos/ kills a
process with SIGKILL at each of them, and then looks for a charge that was doubled or lost.
"""

from collections.abc import Callable
from enum import StrEnum


class CrashPoint(StrEnum):
    """A step that is done, and the next is not."""

    CREATE_CLAIMED = "create.claimed"
    CREATE_STARTED = "create.started"
    CREATE_RECORDED = "create.recorded"
    REFUND_CLAIMED = "refund.claimed"
    REFUND_SENT = "refund.sent"
    REFUND_SETTLED = "refund.settled"
    REFUND_ANSWERED = "refund.answered"
    WEBHOOK_RECEIVED = "webhook.received"
    WEBHOOK_SETTLED = "webhook.settled"
    WEBHOOK_PROCESSED = "webhook.processed"
    SETTLE_FETCHED = "settle.fetched"
    SETTLE_LOCKED = "settle.locked"
    SETTLE_GRANTED = "settle.granted"
    SETTLE_WRITTEN = "settle.written"
    SETTLE_COMMITTED = "settle.committed"
    RECONCILE_CLAIMED = "reconcile.claimed"
    RECONCILE_STARTED = "reconcile.started"
    RECONCILE_SETTLED = "reconcile.settled"
    RECONCILE_REFUNDED = "reconcile.refunded"
    BILL_CLAIMED = "bill.claimed"
    BILL_STARTED = "bill.started"
    BILL_RECORDED = "bill.recorded"
    RENEW_SWEPT = "renew.swept"
    RENEW_RESUMED = "renew.resumed"
    RENEW_OPENED = "renew.opened"
    RENEW_CLAIMED = "renew.claimed"
    RENEW_SEEN_TO = "renew.seen_to"


_listeners: dict[CrashPoint, Callable[[], None]] = {}


def reach(point: CrashPoint) -> None:
    """Says that a step is done; does nothing unless a test listens."""
    listener = _listeners.get(point)
    if listener is not None:
        listener()


def listen(point: CrashPoint, listener: Callable[[], None]) -> None:
    """Calls `listener` whenever the point is reached. For tests alone."""
    _listeners[point] = listener
