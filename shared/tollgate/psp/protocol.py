"""What Tollgate asks of a PSP: values in, values out; no storage, no HTTP answers, no globals."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from tollgate.domain.money import Money
from tollgate.domain.payment import Hint, Order, Outcome


class Psp(Protocol):
    """A PSP's adapter."""

    def check_amount(self, money: Money) -> None:
        """Raises UnsupportedAmount if this PSP can't charge exactly this. Calls nobody."""

    def start(self, order: Order) -> Outcome:
        """Opens a payment. Calling again with the same order opens no second one.

        A refusal is an Outcome; a timeout or a lost answer is UNKNOWN. Raises PspUnavailable only
        where it is certain that the PSP did nothing.
        """

    def fetch(self, psp_reference: str) -> Outcome:
        """What the PSP says now of the payment it knows by its own reference.

        UNKNOWN for a state that this adapter does not know. Raises PspUnavailable.
        """

    def read_event(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Hint:
        """Verifies the signature over the raw body, then reads whom the event is about.

        `headers` have lower-case names. Raises SignatureRefused, WebhookMalformed.
        """
