"""What Tollgate asks of a PSP: values in, values out; no storage, no HTTP answers, no globals."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import Hint, Movement, Outcome
from tollgate.domain.payment import Failure


class Psp(Protocol):
    """A PSP's adapter.

    `start` opens a payment; `capture`, `cancel` and `refund` ask for something; what came of it is
    told by `fetch`, and by nothing else.
    """

    @property
    def idempotency_hours(self) -> int:
        """For how long the PSP knows a request by its idempotency key, so that sending the same
        one again does nothing twice. 0: it has no such keys."""

    def check_amount(self, money: Money) -> None:
        """Raises UnsupportedAmount if this PSP can't charge exactly this. Calls nobody."""

    def start(self, order: Order) -> Outcome:
        """Opens a payment.

        A refusal is an Outcome; a timeout or a lost answer is UNKNOWN. Raises PspUnavailable only
        where it is certain that the PSP did nothing.
        """

    def find(self, payment_id: str, created_at: datetime) -> Outcome | None:
        """The payment that was opened under our reference at about that time.

        None where the PSP knows none for certain. Raises PspUnavailable when it can't tell.
        """

    def fetch(self, psp_reference: str) -> Outcome:
        """What the PSP says now of the payment it knows by its own reference, with every refund
        and dispute of it.

        UNKNOWN for a state that this adapter does not know. Raises PspUnavailable.
        """

    def capture(self, psp_reference: str, money: Money, idempotency_key: str) -> Failure | None:
        """Asks for this much of an authorized payment, and lets go of the rest.

        The PSP's refusal; None where it agreed, and where its answer was lost. Raises
        PspUnavailable only where it is certain that the PSP did nothing.
        """

    def cancel(self, psp_reference: str, idempotency_key: str) -> Failure | None:
        """Asks to end a payment that has not been paid. As `capture`."""

    def refund(self, order: RefundOrder) -> Failure | None:
        """Asks to give money back. As `capture`."""

    def list_movements(self, since: datetime, until: datetime) -> Iterator[Movement]:
        """The PSP's own books: every capture, refund and dispute from `since` up to `until`.

        A dispute that was won is not in it. Raises PspUnavailable.
        """

    def read_event(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Hint:
        """Verifies the signature over the raw body, then reads whom the event is about.

        `headers` have lower-case names. Raises SignatureRefused, WebhookMalformed.
        """

    def find_payment_id(self, intent_reference: str) -> str | None:
        """Our reference of the payment that an event named only so (Hint.intent_reference).

        None where the PSP's object has none: it was not opened by us. Raises PspUnavailable.
        """
