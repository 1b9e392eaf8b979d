"""What a PSP is asked for, and on whose behalf."""

from dataclasses import dataclass
from datetime import datetime

from tollgate.domain.money import Money
from tollgate.domain.payment import Capture, Method, PaymentPage


@dataclass(frozen=True)
class Customer:
    """Who pays, as far as the app told: passed on to the PSP, and stored sealed."""

    email: str | None = None
    phone: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class SealedCustomer:
    """Who pays, as it is stored: encrypted, with the index to find the email by."""

    value: bytes
    email_index: bytes | None


@dataclass(frozen=True)
class SavedMethod:
    """What a client paid with and let us keep, by the PSP's names: who it is, and what with."""

    customer_reference: str
    method_reference: str


@dataclass(frozen=True)
class Order:
    """What a PSP is asked to take.

    `payment_id` is our reference and must come back with every answer; the idempotency key is
    derived from our row alone, so that asking again can't charge again. `attempt` is another one
    at each try (eight letters or digits), for a PSP that takes a reference once only. With a
    `saved_method` the client is not there: it is charged at once, or not.
    """

    payment_id: str
    money: Money
    description: str
    return_url: str
    cancel_url: str
    expires_at: datetime
    customer: Customer
    method: Method | None = None
    capture: Capture = Capture.AUTOMATIC
    page: PaymentPage = PaymentPage.HOSTED
    save_method: bool = False
    saved_method: SavedMethod | None = None
    attempt: str = ""

    @property
    def idempotency_key(self) -> str:
        """The key that the PSP sees: the same for every attempt at this payment."""
        return f"tollgate-{self.payment_id}"


@dataclass(frozen=True)
class RefundOrder:
    """What a PSP is asked to give back, of the payment that it knows as `psp_reference`.

    `refund_id` is our reference and must come back with every word about this refund.
    """

    refund_id: str
    psp_reference: str
    money: Money
    reason: str | None = None

    @property
    def idempotency_key(self) -> str:
        """The key that the PSP sees: the same for every attempt at this refund."""
        return f"tollgate-{self.refund_id}"
