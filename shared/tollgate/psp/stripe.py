"""Stripe: hosted Checkout Sessions.

What moves money goes through the official SDK. It is read back by plain GETs: the webhook and the
check only read, and must not pay for importing the SDK (docs/decisions/0003).
Sources: docs.stripe.com/api (checkout sessions, payment intents, errors, idempotent requests).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tollgate.domain.errors import Misconfigured, SignatureRefused, UnsupportedAmount
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import UNKNOWN, DisputeOutcome, Hint, Movement, Outcome, RefundOutcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.psp.stripe_amounts import to_stripe
from tollgate.psp.stripe_charges import fee_of, read_disputes, read_refunds
from tollgate.psp.stripe_events import read_event
from tollgate.psp.stripe_movements import Books
from tollgate.psp.stripe_reader import Reader
from tollgate.psp.stripe_requests import ask, refund_params, session_params
from tollgate.psp.stripe_sessions import charge_of, read_session
from tollgate.psp.stripe_signature import verify
from tollgate.psp.stripe_values import (
    NOT_AS_DOCUMENTED,
    as_documented,
    expanded,
    id_of,
    our_reference,
    text,
)
from tollgate.settings import Settings

if TYPE_CHECKING:
    from stripe import RequestOptions, StripeClient

API_VERSION = "2026-10-28.endive"
"""Of requests, and to be chosen for the webhook endpoint too: an event comes in its version."""
SEND_TIMEOUT_SECONDS = 10.0
MAX_AMOUNT = 99_999_999
"""Stripe takes eight digits (docs.stripe.com/currencies, minimum and maximum charge amounts)."""

CLOCKS_DIFFER = timedelta(minutes=1)
OPENED_AT_ONCE = timedelta(minutes=10)
OPENED_AT_LAST = timedelta(hours=24)
"""A payment is sent again for as long as it can be paid, which is less than a day."""
FIND_PAGES_MAX = 20
"""Two thousand sessions: somebody may wait. In a busier day `find` can't tell."""
LIST_PAGES_MAX = 20
"""Of one charge's refunds or disputes."""

_WHOLE = [
    "payment_intent.latest_charge.balance_transaction",
    "payment_intent.latest_charge.refunds",
]


class Stripe:
    """Stripe, as a Psp. Its reference of a payment is the Checkout Session's id."""

    idempotency_hours = 20
    """Stripe keeps a key for 24 hours at least; a request may be long on its way."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check_amount(self, money: Money) -> None:
        """See Psp.check_amount."""
        if to_stripe(money) > MAX_AMOUNT:
            raise UnsupportedAmount("Stripe takes amounts of at most eight digits.")

    def start(self, order: Order) -> Outcome:
        """Creates a Checkout Session under our idempotency key. See Psp.start."""
        answer = ask(
            lambda: self._sdk.v1.checkout.sessions.create(
                params=session_params(order), options=_under(order.idempotency_key)
            ),
            "Stripe refused to open this payment.",
        )
        if isinstance(answer, Failure):
            return Outcome(PaymentStatus.FAILED, failure=answer)
        if answer is None:
            return UNKNOWN
        try:
            return read_session(answer.to_dict())
        except NOT_AS_DOCUMENTED:
            return UNKNOWN

    def find(self, payment_id: str, created_at: datetime) -> Outcome | None:
        """Looks through the sessions of a day: Stripe can't be asked by our reference.

        The first minutes come first, for that is when almost every session is opened. See Psp.find.
        """
        opened = created_at - CLOCKS_DIFFER
        at_once, at_last = created_at + OPENED_AT_ONCE, created_at + OPENED_AT_LAST
        for since, until in (opened, at_once), (at_once, at_last):
            made = {"created[gte]": int(since.timestamp()), "created[lte]": int(until.timestamp())}
            for session in self._reader.listed("/v1/checkout/sessions", made, FIND_PAGES_MAX):
                with as_documented():
                    if session.get("client_reference_id") == payment_id:
                        return self.fetch(text(session["id"]))
        return None

    def fetch(self, psp_reference: str) -> Outcome:
        """Reads the Checkout Session with its PaymentIntent and charge. See Psp.fetch."""
        session = self._session(psp_reference, _WHOLE)
        with as_documented():
            outcome = read_session(session)
            charge = charge_of(session)
            if outcome.status is not PaymentStatus.SUCCEEDED or charge is None:
                return outcome
            return replace(
                outcome,
                fee=fee_of(charge),
                refunds=self._refunds(charge),
                disputes=self._disputes(charge),
            )

    def capture(self, psp_reference: str, money: Money, idempotency_key: str) -> Failure | None:
        """Captures the session's PaymentIntent. See Psp.capture."""
        amount = to_stripe(money)
        session = self._session(psp_reference, ["payment_intent"])
        with as_documented():
            intent = expanded(session["payment_intent"])
            if intent is None:
                return Failure("not_capturable", "There is nothing to capture of this payment.")
            if intent["status"] == "succeeded" and intent["amount_received"] == amount:
                return None  # an earlier request did it, and its answer was lost
            intent_id = text(intent["id"])
        answer = ask(
            lambda: self._sdk.v1.payment_intents.capture(
                intent_id,
                params={"amount_to_capture": amount},
                options=_under(idempotency_key),
            ),
            "Stripe refused to capture this payment.",
        )
        return answer if isinstance(answer, Failure) else None

    def cancel(self, psp_reference: str, idempotency_key: str) -> Failure | None:
        """Expires an open session, or lets go of an authorized PaymentIntent. See Psp.cancel."""
        session = self._session(psp_reference, ["payment_intent"])
        with as_documented():
            intent = expanded(session["payment_intent"])
            now = session["status"], intent["status"] if intent is not None else None
            intent_id = text(intent["id"]) if intent is not None else ""
        sdk, refusal = self._sdk.v1, "Stripe refused to cancel this payment."
        answer: object
        match now:
            case "open", _:
                options = _under(idempotency_key)
                answer = ask(
                    lambda: sdk.checkout.sessions.expire(psp_reference, options=options), refusal
                )
            case "complete", "requires_capture":
                # not the request above, though the app asks once: Stripe wants another key for it
                options = _under(f"{idempotency_key}-intent")
                answer = ask(
                    lambda: sdk.payment_intents.cancel(intent_id, options=options), refusal
                )
            case ("expired", _) | ("complete", "canceled"):
                answer = None  # an earlier request did it, or time
            case _:
                answer = Failure("not_cancelable", "This payment can't be canceled any more.")
        return answer if isinstance(answer, Failure) else None

    def refund(self, order: RefundOrder) -> Failure | None:
        """Refunds the session's PaymentIntent. See Psp.refund."""
        session = self._session(order.psp_reference)
        with as_documented():
            intent = id_of(session["payment_intent"])
        if intent is None:
            return Failure("not_refundable", "There is nothing to give back of this payment.")
        answer = ask(
            lambda: self._sdk.v1.refunds.create(
                params=refund_params(order, session, intent),
                options=_under(order.idempotency_key),
            ),
            "Stripe refused this refund.",
        )
        return answer if isinstance(answer, Failure) else None

    def list_movements(self, since: datetime, until: datetime) -> Iterator[Movement]:
        """Reads the lists of charges, refunds and disputes. See Psp.list_movements."""
        books = Books(self._reader, since, until)
        yield from books.captures()
        yield from books.refunds()
        yield from books.disputes()

    def read_event(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Hint:
        """Reads an Event after checking `Stripe-Signature`. See Psp.read_event."""
        secret = self._settings.stripe_webhook_secret
        if not secret:
            raise Misconfigured("The setting STRIPE_WEBHOOK_SECRET is missing.")
        header = headers.get("stripe-signature")
        if not header:
            raise SignatureRefused
        verify(header, body, secret, now)
        return read_event(body)

    def find_payment_id(self, intent_reference: str) -> str | None:
        """Reads the metadata of the PaymentIntent. See Psp.find_payment_id."""
        intent = self._reader.get(f"/v1/payment_intents/{quote(intent_reference, safe='')}", {})
        return our_reference(intent, "payment_id")

    def _session(self, psp_reference: str, expand: list[str] | None = None) -> Mapping[str, Any]:
        path = f"/v1/checkout/sessions/{quote(psp_reference, safe='')}"
        return self._reader.get(path, {"expand[]": expand} if expand else {})

    def _refunds(self, charge: Mapping[str, Any]) -> tuple[RefundOutcome, ...]:
        """The charge shows its newest refunds; if there are more, all are listed."""
        shown = expanded(charge.get("refunds"))
        if shown is not None and shown["has_more"] is False:
            return read_refunds(shown["data"], charge)
        of_charge: dict[str, str | int | list[str]] = {"charge": text(charge["id"])}
        return read_refunds(self._reader.listed("/v1/refunds", of_charge, LIST_PAGES_MAX), charge)

    def _disputes(self, charge: Mapping[str, Any]) -> tuple[DisputeOutcome, ...]:
        if charge["disputed"] is False:
            return ()
        of_charge: dict[str, str | int | list[str]] = {"charge": text(charge["id"])}
        return read_disputes(self._reader.listed("/v1/disputes", of_charge, LIST_PAGES_MAX))

    @cached_property
    def _sdk(self) -> "StripeClient":
        import stripe

        from tollgate.psp.stripe_http import DeadlineClient

        stripe.enable_telemetry = False
        return stripe.StripeClient(
            self._secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": self._api_url},
            max_network_retries=0,
            http_client=DeadlineClient(SEND_TIMEOUT_SECONDS),
        )

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self._api_url, self._secret_key, API_VERSION)

    @property
    def _secret_key(self) -> str:
        if not self._settings.stripe_secret_key:
            raise Misconfigured("The setting STRIPE_SECRET_KEY is missing.")
        return self._settings.stripe_secret_key

    @property
    def _api_url(self) -> str:
        return (self._settings.stripe_api_url or "https://api.stripe.com").rstrip("/")


def _under(idempotency_key: str) -> "RequestOptions":
    return {"idempotency_key": idempotency_key}
