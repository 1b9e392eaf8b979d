"""Stripe's own books: the money that was taken and given back, to be compared with ours.

Sources: docs.stripe.com/api (charges, refunds, disputes: list), docs.stripe.com/payments/
place-a-hold-on-a-payment-method (how long a hold lasts).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tollgate.domain.dispute import TAKEN
from tollgate.domain.outcome import Movement, MovementKind
from tollgate.domain.refund import RefundStatus
from tollgate.psp.answers import as_documented, text
from tollgate.psp.stripe.charges import dispute_status, is_release, refund_status
from tollgate.psp.stripe.reader import Reader
from tollgate.psp.stripe.values import expanded, instant, our_reference, stated_money

PAGES_MAX = 1_000
"""Of a hundred objects each. Rather no answer than one that leaves money out."""
HELD_AT_MOST = timedelta(days=7)
"""Between the making of a charge, by which Stripe lists it, and its capture."""


@dataclass(frozen=True)
class Books:
    """Stripe's lists from `since` up to `until`. Reading them raises PspUnavailable."""

    reader: Reader
    since: datetime
    until: datetime

    def captures(self) -> Iterator[Movement]:
        """What was taken, in whole or in part."""
        listed = self._listed("charges", self.since - HELD_AT_MOST, "data.balance_transaction")
        for charge in listed:
            with as_documented("Stripe"):
                movement = _capture(charge)
            if movement is not None and self.since <= movement.at < self.until:
                yield movement

    def refunds(self) -> Iterator[Movement]:
        """What was given back, by when it was asked for."""
        for refund in self._listed("refunds", self.since, "data.charge"):
            with as_documented("Stripe"):
                movement = _refund(refund)
            if movement is not None:
                yield movement

    def disputes(self) -> Iterator[Movement]:
        """What the clients' banks took back and still have, by when they did."""
        for dispute in self._listed("disputes", self.since, "data.charge"):
            with as_documented("Stripe"):
                movement = _dispute(dispute)
            if movement is not None:
                yield movement

    def _listed(self, kind: str, since: datetime, expand: str) -> Iterator[Mapping[str, Any]]:
        # whole seconds: rounded up on both sides, ranges that touch share nothing and miss nothing
        made = {
            "created[gte]": math.ceil(since.timestamp()),
            "created[lt]": math.ceil(self.until.timestamp()),
        }
        return self.reader.listed(f"/v1/{kind}", {**made, "expand[]": expand}, PAGES_MAX)


def _capture(charge: Mapping[str, Any]) -> Movement | None:
    taken = charge["status"] == "succeeded" and charge["paid"] and charge["captured"]
    if not taken or not charge["amount_captured"]:
        return None
    entry = expanded(charge.get("balance_transaction"))
    return Movement(
        MovementKind.CAPTURE,
        text(charge["id"]),
        our_reference(charge, "payment_id"),
        stated_money(charge, "amount_captured"),
        # a charge that was held first has its entry from when it was captured
        instant((charge if entry is None else entry)["created"]),
    )


def _refund(refund: Mapping[str, Any]) -> Movement | None:
    charge = expanded(refund.get("charge"))
    if refund_status(refund) is not RefundStatus.SUCCEEDED or is_release(refund, charge or {}):
        return None
    return _given_back(MovementKind.REFUND, refund, charge)


def _dispute(dispute: Mapping[str, Any]) -> Movement | None:
    if dispute_status(dispute) not in TAKEN:
        return None
    return _given_back(MovementKind.DISPUTE, dispute, expanded(dispute.get("charge")))


def _given_back(
    kind: MovementKind, subject: Mapping[str, Any], charge: Mapping[str, Any] | None
) -> Movement:
    """The charge has its PaymentIntent's metadata; a refund has any only where we made it."""
    return Movement(
        kind,
        text(subject["id"]),
        our_reference(charge, "payment_id") or our_reference(subject, "payment_id"),
        stated_money(subject),
        instant(subject["created"]),
    )
