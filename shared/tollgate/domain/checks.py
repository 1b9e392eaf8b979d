"""When a payment that is not settled is looked at again."""

from datetime import datetime, timedelta

from tollgate.domain.payment import UNPAID, Payment, PaymentStatus

SHORTEST_PAUSE_SECONDS = 60
"""After the first look; each further one that settles nothing doubles it. Longer than a slice of
reconcile runs, so that nobody else looks while one does."""
LONGEST_PAUSE_SECONDS = 3600
LATE_PAUSE = timedelta(hours=6)
LATE_AT_MOST = timedelta(days=3)
"""For how long after its time to pay a payment is watched at a PSP whose ends are not final."""
DISPUTE_PAUSE = timedelta(days=1)
"""A bank takes weeks; its word comes by webhook, and is looked for in case that was lost."""


def next_check(
    payment: Payment, now: datetime, *, look_again: bool = False, ends_are_final: bool = True
) -> datetime | None:
    """When to look at a payment that has just moved; None when nothing about it is open.

    `look_again`: soon, whatever its state is; a refund of it is pending, for one. Where the PSP's
    ends are not final, the client may still pay on a page that is over for us.
    """
    if look_again or payment.is_open:
        return now + timedelta(seconds=SHORTEST_PAUSE_SECONDS)
    if payment.status is PaymentStatus.DISPUTED:
        return now + DISPUTE_PAUSE
    if payment.status in UNPAID and not ends_are_final and payment.psp_reference is not None:
        return now + LATE_PAUSE if now < payment.expires_at + LATE_AT_MOST else None
    return None
