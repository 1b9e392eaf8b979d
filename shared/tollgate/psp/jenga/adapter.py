"""Jenga (Equity Bank, Finserve), API v3: its hosted checkout, and M-Pesa pushed to a phone.

It has no keys for idempotency, no refunds and no captures in its API. What it has is a reference
that it takes once: see jenga_references. Sources: Jenga's developer guides (checkout reference,
M-Pesa STK push, transaction details, instant payment notifications, error responses).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from urllib.parse import quote

from tollgate.domain.callback import Callback
from tollgate.domain.capabilities import CancelBy, Capabilities, RefundBy
from tollgate.domain.errors import PspUnavailable, Unavailable
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import UNKNOWN, Hint, Movement, Outcome
from tollgate.domain.payment import Failure, Method, PaymentStatus
from tollgate.psp.answers import as_documented, mapping
from tollgate.psp.jenga.api import DUPLICATE_REFERENCE, REFUSALS, Answer, Api
from tollgate.psp.jenga.checkout import LIVE_PAGE, TEST_PAGE, checkout_fields
from tollgate.psp.jenga.events import read_event
from tollgate.psp.jenga.push import phone_of, push_of, whole_shillings
from tollgate.psp.jenga.reading import read_details, read_order
from tollgate.psp.jenga.references import OrderReference, Way, read_reference
from tollgate.psp.jenga.signature import SETTING as PRIVATE_KEY
from tollgate.psp.jenga.signature import Signer
from tollgate.psp.major_units import to_major
from tollgate.psp.protocol import Tokens
from tollgate.settings import Settings

PUSH_PATH = "/api-checkout/mpesa-stk-push/v3.0/init"
ORDER_PATH = "/api-checkout/mpesa-stk-push/v3.0/status/order/"
DETAILS_PATH = "/v3-apis/transaction-api/v3.0/transactions/details/"

_TO_OPEN = ("JENGA_API_KEY", "JENGA_MERCHANT_CODE", "JENGA_CONSUMER_SECRET", PRIVATE_KEY)
_NOT_SUPPORTED = "not_supported"

CAPABILITIES = Capabilities(
    currencies=frozenset({"KES", "USD"}),
    methods=frozenset({Method.CARD, Method.MPESA, Method.EQUITEL}),
    refund=RefundBy.MANUAL,
    cancel=CancelBy.LOCAL,
    prompts=frozenset({Method.MPESA}),
)


class Jenga:
    """Jenga, as a Psp. Its reference of a payment is the order's, which we chose."""

    capabilities = CAPABILITIES

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._settings = settings
        self._api = Api(settings, tokens)

    def check(self, order: Order) -> None:
        """M-Pesa is pushed: it needs a phone, and takes whole shillings. See Psp.check."""
        for name in _TO_OPEN:
            self._settings.psp_value(name)
        to_major(order.money)
        if order.method is Method.MPESA:
            self._settings.psp_value("JENGA_CALLBACK_TOKEN")
            whole_shillings(order)
            phone_of(order)

    def start(self, order: Order) -> Outcome:
        """Prompts the client's phone for M-Pesa; makes the form of the checkout for all else.

        For the form nobody is called, except for a token where we have none. The form holds the
        token, which is how this checkout knows the merchant: whoever pays can read it, for the
        minutes that it lives. See Psp.start.
        """
        return self._push(order) if order.method is Method.MPESA else self._checkout(order)

    def find(
        self, payment_id: str, _created_at: datetime, _off_session: bool = False
    ) -> Outcome | None:
        """Asks for what either way would have left under our reference. See Psp.find."""
        for way in Way.PUSH, Way.CHECKOUT:
            found = self._read(OrderReference(way, payment_id))
            if found is not None:
                return found
        return None

    def fetch(self, psp_reference: str) -> Outcome:
        """Asks for the order's status, or for the transaction's details. See Psp.fetch.

        Jenga knows nothing of a checkout before the client's browser has posted the form: then the
        outcome still requires that, and tells no money.
        """
        asked = read_reference(psp_reference)
        if asked is None:
            raise PspUnavailable("Jenga can't know of a reference that is not ours.")
        return self._read(asked) or Outcome(
            PaymentStatus.REQUIRES_ACTION,
            psp_reference=asked.text,
            reference=asked.payment_id,
            livemode=self._settings.livemode,
        )

    def capture(self, _psp_reference: str, _money: Money, _idempotency_key: str) -> Failure:
        """Never asked for: Jenga takes the money when the client agrees."""
        return Failure(_NOT_SUPPORTED, "Jenga has nothing to capture.")

    def cancel(self, _psp_reference: str, _idempotency_key: str) -> None:
        """Jenga can't be told: the page or the prompt ends by itself, and its word that money
        moved wins."""

    def refund(self, _order: RefundOrder) -> Failure:
        """Never asked for: somebody pays it back by hand in JengaHQ."""
        return Failure(_NOT_SUPPORTED, "Jenga pays back by hand only, in JengaHQ.")

    def list_movements(self, _since: datetime, _until: datetime) -> Iterator[Movement]:
        """Never asked for: Jenga's statements name no reference of ours."""
        return iter(())

    def read_event(self, callback: Callback, _now: datetime) -> Hint:
        """An IPN, or the callback of a push. See Psp.read_event."""
        return read_event(callback, self._settings)

    def _checkout(self, order: Order) -> Outcome:
        reference = OrderReference(Way.CHECKOUT, order.payment_id)
        fields = checkout_fields(
            order,
            reference,
            merchant=self._settings.psp_value("JENGA_MERCHANT_CODE"),
            country=self._country,
            signer=self._signer,
        )
        form = {"token": self._api.token(), **fields}
        action = {"type": "form_post", "url": self._page_url, "fields": form}
        return replace(self._opened(order, reference), next_action=action)

    def _push(self, order: Order) -> Outcome:
        """Asked again, Jenga refuses the reference: then it is asked what became of it."""
        reference = OrderReference(Way.PUSH, order.payment_id)
        token = quote(self._settings.psp_value("JENGA_CALLBACK_TOKEN"), safe="")
        push = push_of(
            order,
            reference,
            callback_url=f"{self._settings.public_url}/webhook/receive/jenga/{token}",
            country=self._country,
        )
        answer = self._api.send(PUSH_PATH, push.body, self._signer.sign(*push.signed))
        if answer is None:
            return UNKNOWN
        action = {"type": "await_push", "phone": f"…{phone_of(order)[-3:]}"}
        if answer.code == DUPLICATE_REFERENCE:
            found = self._sent_before(reference)
            waits = found.status is PaymentStatus.REQUIRES_ACTION
            return replace(found, next_action=action) if waits else found
        if answer.code in REFUSALS:
            failure = Failure(f"jenga_{answer.code}", "Jenga refused to open this payment.")
            return Outcome(PaymentStatus.FAILED, failure=failure)
        if not answer.is_accepted or not _is_about(answer, reference):
            return UNKNOWN
        return replace(self._opened(order, reference), method=Method.MPESA, next_action=action)

    def _sent_before(self, reference: OrderReference) -> Outcome:
        try:
            return self._read(reference) or UNKNOWN
        except Unavailable:
            return UNKNOWN  # an earlier request may have done it

    def _opened(self, order: Order, reference: OrderReference) -> Outcome:
        """What our own signed request says, for the client to agree to."""
        return Outcome(
            PaymentStatus.REQUIRES_ACTION,
            psp_reference=reference.text,
            reference=order.payment_id,
            money=order.money,
            livemode=self._settings.livemode,
        )

    def _read(self, asked: OrderReference) -> Outcome | None:
        """What Jenga says of it; None where it knows none. Raises PspUnavailable."""
        is_push, livemode = asked.way is Way.PUSH, self._settings.livemode
        if is_push:
            body = self._api.find(ORDER_PATH + asked.text)
        else:
            body = self._api.find(DETAILS_PATH + asked.text, self._signer.sign(asked.text))
        if body is None:
            return None
        with as_documented("Jenga"):
            read = read_order if is_push else read_details
            return read(body, asked, livemode)

    @cached_property
    def _signer(self) -> Signer:
        return Signer(self._settings.psp_value(PRIVATE_KEY))

    @property
    def _country(self) -> str:
        return self._settings.find_psp_value("JENGA_COUNTRY_CODE") or "KE"

    @property
    def _page_url(self) -> str:
        ours = LIVE_PAGE if self._settings.livemode else TEST_PAGE
        return self._settings.find_psp_value("JENGA_CHECKOUT_URL") or ours


def _is_about(answer: Answer, reference: OrderReference) -> bool:
    """Whether an answer that names an order names ours."""
    data = answer.body.get("data")
    named = mapping(data).get("orderReference") if isinstance(data, dict) else None
    return named is None or named == reference.text
