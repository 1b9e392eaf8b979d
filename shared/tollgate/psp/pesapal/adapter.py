"""Pesapal, API 3.0: its hosted page, on which the client chooses M-Pesa, Airtel or a card.

Pesapal has no idempotency keys and can't be asked by our reference. Two things make that safe: a
merchant reference is taken once, and each try has its own; and an order can be paid on its page
alone, whose address comes with the answer. Where the answer was lost, nobody can pay.
Sources: developer.pesapal.com, API 3.0 (all pages of it).
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from tollgate.domain.callback import Callback
from tollgate.domain.capabilities import CancelBy, Capabilities, RefundBy
from tollgate.domain.errors import CustomerIncomplete, FieldError, UnsupportedByPsp
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import UNKNOWN, Hint, Movement, Outcome
from tollgate.domain.payment import Failure, Method, PaymentStatus
from tollgate.psp.answers import NOT_AS_DOCUMENTED, as_documented, text
from tollgate.psp.pesapal.answers import NAMELESS, Answer
from tollgate.psp.pesapal.api import PSP, Api
from tollgate.psp.pesapal.events import read_event, verify_token
from tollgate.psp.pesapal.refunds import refund_request
from tollgate.psp.pesapal.requests import amount_of, order_request, payment_id_of
from tollgate.psp.pesapal.status import Transaction, outcome_of, read_transaction
from tollgate.psp.protocol import Tokens
from tollgate.settings import Settings

CAPABILITIES = Capabilities(
    currencies=frozenset({"KES", "MWK", "RWF", "TZS", "UGX", "USD", "ZMW"}),
    # a wish for one of these is met by the page, which offers them all: it can't be enforced
    methods=frozenset({Method.CARD, Method.MPESA, Method.AIRTEL}),
    refund=RefundBy.REQUEST,
    cancel=CancelBy.LOCAL,
)

_NEEDED = ("PESAPAL_CONSUMER_KEY", "PESAPAL_CONSUMER_SECRET", "PESAPAL_IPN_ID")
_URL_MAX_LENGTH = 2048


class Pesapal:
    """Pesapal, as a Psp. Its reference of a payment is the order's tracking id."""

    capabilities = CAPABILITIES

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens

    def check(self, order: Order) -> None:
        """See Psp.check."""
        for name in _NEEDED:
            self._settings.psp_value(name)
        amount_of(order.money)
        if not order.customer.email and not order.customer.phone:
            message = "Pesapal wants to know an email address or a phone number."
            fields = ("customer.email", "customer.phone")
            raise CustomerIncomplete(errors=tuple(FieldError(path, message) for path in fields))

    def start(self, order: Order) -> Outcome:
        """Submits an order under a reference of this try's own. See Psp.start."""
        request = order_request(order, self._settings.psp_value("PESAPAL_IPN_ID"))
        answer = self._api.send("/api/Transactions/SubmitOrderRequest", request)
        if answer is None:
            return UNKNOWN
        refusal = _why_not_opened(answer)
        if refusal is not None:
            return Outcome(PaymentStatus.FAILED, failure=refusal)
        try:
            return self._opened(answer, order)
        except NOT_AS_DOCUMENTED:
            return UNKNOWN

    def find(
        self, _payment_id: str, _created_at: datetime, _off_session: bool = False
    ) -> Outcome | None:
        """None: an order whose address was lost with the answer is one that nobody can pay, and
        Pesapal can't be asked by our reference. See Psp.find."""
        return None

    def fetch(self, psp_reference: str) -> Outcome:
        """Reads the transaction's status. See Psp.fetch."""
        transaction = self._transaction(psp_reference)
        return outcome_of(transaction, psp_reference, livemode=self._settings.livemode)

    def capture(self, _psp_reference: str, _money: Money, _idempotency_key: str) -> Failure | None:
        """Pesapal takes the money when the client agrees. See Psp.capture."""
        return Failure("not_capturable", "Pesapal leaves nothing to capture.")

    def cancel(self, psp_reference: str, _idempotency_key: str) -> Failure | None:
        """Cancels an unpaid order. See Psp.cancel.

        Pesapal takes this once, refuses it after that as it does for what was paid, and goes on to
        call the order unpaid.
        """
        answer = self._api.send(
            "/api/Transactions/CancelOrder", {"order_tracking_id": psp_reference}
        )
        if answer is not None and answer.is_refusal:
            return Failure(
                answer.error_code or "not_cancelable", "Pesapal refused to cancel this payment."
            )
        return None

    def refund(self, order: RefundOrder) -> Failure | None:
        """Asks for a refund, which somebody has to approve in Pesapal's pages. See Psp.refund."""
        username = self._settings.psp_value("PESAPAL_REFUND_USERNAME")
        request = refund_request(order, self._transaction(order.psp_reference), username)
        if isinstance(request, Failure):
            return request
        answer = self._api.send("/api/Transactions/RefundRequest", request)
        if answer is not None and answer.is_refusal:
            return Failure(answer.error_code or "refund_rejected", "Pesapal refused this refund.")
        return None

    def list_movements(self, _since: datetime, _until: datetime) -> Iterator[Movement]:
        """Pesapal tells its books to nobody. Raises UnsupportedByPsp."""
        raise UnsupportedByPsp("Pesapal has no list of what it moved.")

    def read_event(self, callback: Callback, _now: datetime) -> Hint:
        """Reads an IPN after checking the token in its path. See Psp.read_event."""
        verify_token(callback.path_token, self._settings.psp_value("PESAPAL_IPN_TOKEN"))
        return read_event(callback, livemode=self._settings.livemode)

    def _opened(self, answer: Answer, order: Order) -> Outcome:
        """The order that waits for its client. Raises one of NOT_AS_DOCUMENTED."""
        if not answer.went_well:
            raise ValueError
        url = text(answer.body["redirect_url"], _URL_MAX_LENGTH)
        if urlsplit(url).scheme not in ("https", "http"):
            raise ValueError
        return Outcome(
            PaymentStatus.REQUIRES_ACTION,
            psp_reference=text(answer.body["order_tracking_id"]),
            reference=payment_id_of(answer.body["merchant_reference"]),
            # the answer repeats no amount: what is asked for is what was accepted
            money=order.money,
            livemode=self._settings.livemode,
            next_action={"type": "redirect", "url": url},
        )

    def _transaction(self, tracking_id: str) -> Transaction:
        answer = self._api.read(
            "/api/Transactions/GetTransactionStatus", {"orderTrackingId": tracking_id}
        )
        with as_documented(PSP):
            return read_transaction(answer, tracking_id)

    @cached_property
    def _api(self) -> Api:
        return Api(self._settings, self._tokens)


def _why_not_opened(answer: Answer) -> Failure | None:
    """A refusal that is for certain: it names what is wrong with the order.

    Not so a duplicate: then there is an order of this very try, whose page nobody was told. Another
    try, with a reference of its own, opens one that can be paid.
    """
    code = answer.error_code
    if not answer.is_refusal or code in (None, NAMELESS) or code.startswith("duplicate"):
        return None
    return Failure(code, "Pesapal refused to open this payment.")
