"""PayPal: orders that are captured once their client has approved them.

What the client approves is not paid yet: it is told as authorized, and taken by `capture`.
Sources: PayPal's OpenAPI documents of Orders v2, Payments v2 and Disputes v1; developer.paypal.com.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from tollgate.domain.callback import Callback
from tollgate.domain.capabilities import CancelBy, Capabilities, RefundBy
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import UNKNOWN, Hint, Movement, Outcome
from tollgate.domain.payment import Failure, Method, PaymentStatus
from tollgate.psp.answers import NOT_AS_DOCUMENTED, as_documented
from tollgate.psp.paypal.amounts import CURRENCIES, to_paypal
from tollgate.psp.paypal.api import Api
from tollgate.psp.paypal.captures import read_captures
from tollgate.psp.paypal.certificates import Certificates
from tollgate.psp.paypal.disputes import read_disputes
from tollgate.psp.paypal.events import read_event
from tollgate.psp.paypal.orders import read_order, unit_of
from tollgate.psp.paypal.requests import order_body, refund_body
from tollgate.psp.paypal.signature import verify
from tollgate.psp.protocol import Tokens
from tollgate.settings import Settings

CAPABILITIES = Capabilities(
    currencies=CURRENCIES,
    methods=frozenset({Method.PAYPAL}),
    refund=RefundBy.API,
    cancel=CancelBy.LOCAL,
    # PayPal keeps an order's key for 6 hours; a request may be long on its way
    idempotency_hours=5,
    dispute_events=True,
    # no client can pay an order that has ended; a capture of ours may still be on its way, so
    # CancelBy.LOCAL has what ended watched all the same
    ends_are_final=True,
)
"""Of an account that may not keep payment methods."""

TAKEN_BEFORE = "duplicate_invoice_id"
"""Money was taken under this payment's id, or given back under this refund's: look, don't fail."""
CAPTURED_BEFORE = ("order_already_captured", "order_completion_in_progress", TAKEN_BEFORE)


class PayPal:
    """PayPal, as a Psp. Its reference of a payment is the order's id."""

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._settings = settings
        self._api = Api(settings, tokens)

    @property
    def capabilities(self) -> Capabilities:
        """PAYPAL_VAULT says whether PayPal lets this account keep what clients pay with."""
        return replace(CAPABILITIES, saves_methods=self._vaults, off_session=self._vaults)

    def check(self, order: Order) -> None:
        """See Psp.check."""
        _ = self._api.credentials
        to_paypal(order.money)

    def start(self, order: Order) -> Outcome:
        """Creates an order under our idempotency key; a saved method is charged by the same call.
        See Psp.start."""
        answer = self._api.post(
            "/v2/checkout/orders",
            order_body(order),
            order.idempotency_key,
            "PayPal refused to open this payment.",
        )
        if answer is None:
            return UNKNOWN
        if isinstance(answer, Failure):
            refused = Outcome(PaymentStatus.FAILED, failure=answer)
            return UNKNOWN if answer.code == TAKEN_BEFORE else refused
        try:
            return self._opened(answer)
        except (*NOT_AS_DOCUMENTED, PspUnavailable):
            return UNKNOWN

    def find(
        self, _payment_id: str, _created_at: datetime, off_session: bool = False
    ) -> Outcome | None:
        """None: PayPal can't be asked by our reference, and need not be.

        An order whose creation was not answered can't be paid by anybody: its page's address is
        known to nobody, for it bears the order's id, which was lost with the answer. That is not so
        of a saved method, which is charged without a page: of such this can't tell, and PayPal's
        webhook will. See Psp.find.
        """
        if off_session:
            raise PspUnavailable("PayPal can't be asked by our reference; its webhook will tell.")
        return None

    def fetch(self, psp_reference: str) -> Outcome:
        """Reads the order, and, once money was taken, the disputes about it: one call more.

        An order that PayPal does not know any more was not approved in time. See Psp.fetch.
        """
        order = self._order(psp_reference)
        if order is None:
            return Outcome(PaymentStatus.EXPIRED, psp_reference=psp_reference)
        with as_documented("PayPal"):
            captures = read_captures(unit_of(order))
            disputes = tuple(
                dispute
                for capture in captures
                if capture.may_be_disputed
                for dispute in read_disputes(self._api, capture.id)
            )
            return read_order(order, self._settings.livemode, disputes)

    def capture(self, psp_reference: str, money: Money, idempotency_key: str) -> Failure | None:
        """Captures an approved order, whose whole amount `money` must be. See Psp.capture."""
        order = self._order(psp_reference)
        if order is None:
            return Failure("invalid_resource_id", "PayPal does not know this order any more.")
        with as_documented("PayPal"):
            now = read_order(order, self._settings.livemode)
        match now.status:
            case PaymentStatus.SUCCEEDED | PaymentStatus.PROCESSING | PaymentStatus.PENDING:
                return None  # an earlier request did it, or nobody can tell: look again
            case PaymentStatus.AUTHORIZED if now.money == money:
                pass
            case PaymentStatus.AUTHORIZED:
                return Failure("amount_mismatch", "PayPal captures an order's whole amount only.")
            case _:
                return Failure("order_not_approved", "There is nothing to capture of this order.")
        answer = self._api.post(
            f"/v2/checkout/orders/{quote(psp_reference, safe='')}/capture",
            {},
            idempotency_key,
            "PayPal refused to capture this payment.",
        )
        return _refusal(answer, CAPTURED_BEFORE)

    def cancel(self, _psp_reference: str, _idempotency_key: str) -> Failure | None:
        """Sends nothing: PayPal has no such call. An order that nobody captures takes no money, and
        lapses. See Psp.cancel."""
        return None

    def refund(self, order: RefundOrder) -> Failure | None:
        """Refunds the order's capture. See Psp.refund."""
        found = self._order(order.psp_reference)
        with as_documented("PayPal"):
            captures = read_captures(unit_of(found)) if found is not None else ()
            taken = [one.id for one in captures if one.status is PaymentStatus.SUCCEEDED]
        if not taken:
            return Failure("not_refundable", "There is nothing to give back of this payment.")
        answer = self._api.post(
            f"/v2/payments/captures/{quote(taken[0], safe='')}/refund",
            refund_body(order),
            order.idempotency_key,
            "PayPal refused this refund.",
        )
        return _refusal(answer, (TAKEN_BEFORE,))

    def list_movements(self, _since: datetime, _until: datetime) -> Iterator[Movement]:
        """None: PayPal has no list of them here. See Psp.list_movements."""
        return iter(())

    def read_event(self, callback: Callback, now: datetime) -> Hint:
        """Reads an event after checking its signature. See Psp.read_event."""
        webhook_id = self._settings.psp_value("PAYPAL_WEBHOOK_ID")
        livemode = verify(callback, webhook_id, self._certificates, now)
        return read_event(callback.body, livemode)

    @property
    def _vaults(self) -> bool:
        return self._settings.find_psp_value("PAYPAL_VAULT") == "on"

    @cached_property
    def _certificates(self) -> Certificates:
        find = self._settings.find_psp_value
        return Certificates(find("PAYPAL_API_URL"), self._settings.livemode, find("PAYPAL_CA_PEM"))

    def _order(self, order_id: str) -> Mapping[str, Any] | None:
        return self._api.get(f"/v2/checkout/orders/{quote(order_id, safe='')}")

    def _opened(self, answer: Mapping[str, Any]) -> Outcome:
        """The order that was created; UNKNOWN where the client would have no page to approve on."""
        order: Mapping[str, Any] | None = answer
        if "purchase_units" not in answer:  # the short form, which says too little
            order = self._order(answer["id"])
        if order is None:
            return UNKNOWN
        outcome = read_order(order, self._settings.livemode)
        waits = outcome.status is PaymentStatus.REQUIRES_ACTION
        return UNKNOWN if waits and outcome.next_action is None else outcome


def _refusal(answer: object, done_before: tuple[str, ...]) -> Failure | None:
    return answer if isinstance(answer, Failure) and answer.code not in done_before else None
