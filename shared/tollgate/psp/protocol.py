"""What Tollgate asks of a PSP: values in, values out; no storage, no HTTP answers, no globals."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol

from tollgate.domain.callback import Callback
from tollgate.domain.capabilities import Capabilities
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import Hint, Movement, Outcome
from tollgate.domain.payment import Failure
from tollgate.domain.psp_token import Token


class Tokens(Protocol):
    """Where an adapter keeps the token by which its PSP knows us: shared by all containers."""

    def get(self, name: str, fetch: Callable[[], Token], refused: str | None = None) -> str:
        """The token of this name; fetched by one container alone where there is none, or where it
        is the one that the PSP has just `refused`. Raises what `fetch` does."""


class Psp(Protocol):
    """A PSP's adapter, made of (Settings, Tokens).

    `start` opens a payment; `capture`, `cancel` and `refund` ask for something; what came of it is
    told by `fetch`, and by nothing else.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this PSP can do."""

    def check(self, order: Order) -> None:
        """Whether this order could be sent: its amount, and what must be known of the customer.

        Called before anything is recorded, for what its capabilities allow. Raises
        UnsupportedAmount, CustomerIncomplete (of several fields any one will do), Misconfigured.
        Calls nobody.
        """

    def start(self, order: Order) -> Outcome:
        """Opens a payment.

        A refusal is an Outcome; a timeout or a lost answer is UNKNOWN. Raises PspUnavailable only
        where it is certain that the PSP did nothing.
        """

    def find(
        self, payment_id: str, created_at: datetime, off_session: bool = False
    ) -> Outcome | None:
        """The payment that was opened under our reference at about that time; `off_session`: it
        had no page, and may have been charged at once.

        None where there is none for certain, or where it is certain that nobody can pay it: its
        page's address was lost with the answer. Raises PspUnavailable when it can't tell.
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
        """Asks to end a payment that has not been paid. As `capture`. Where the PSP knows no such
        wish (CancelBy.LOCAL) it is told what it can be, if anything."""

    def refund(self, order: RefundOrder) -> Failure | None:
        """Asks to give money back. As `capture`. Not called where refunds are RefundBy.MANUAL;
        called once, at the most, where they are RefundBy.REQUEST."""

    def list_movements(self, since: datetime, until: datetime) -> Iterator[Movement]:
        """The PSP's own books: every capture, refund and dispute from `since` up to `until`.

        A dispute that was won is not in it. Raises PspUnavailable. Only called for a PSP that has
        `books`.
        """

    def read_event(self, callback: Callback, now: datetime) -> Hint:
        """Verifies that the PSP sent this, then reads whom it is about.

        Raises SignatureRefused, WebhookMalformed; PspUnavailable where the sender can't be
        verified just now.
        """
