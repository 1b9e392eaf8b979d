"""Stripe: hosted Checkout Sessions; PaymentIntents for an app's own page and for saved methods.

What moves money goes through the official SDK. It is read back by plain GETs: the webhook and the
check only read, and must not pay for importing the SDK (docs/decisions/0003).
Sources: docs.stripe.com/api (checkout sessions, payment intents, idempotent requests),
docs.stripe.com/payments/paymentintents/lifecycle.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from tollgate.domain.callback import Callback
from tollgate.domain.capabilities import CancelBy, Capabilities, RefundBy
from tollgate.domain.errors import SignatureRefused, UnsupportedAmount
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import UNKNOWN, DisputeOutcome, Hint, Movement, Outcome, RefundOutcome
from tollgate.domain.payment import Failure, Method, PaymentPage, PaymentStatus
from tollgate.psp.answers import NOT_AS_DOCUMENTED, as_documented, mapping, text
from tollgate.psp.protocol import Tokens
from tollgate.psp.stripe.amounts import CURRENCIES, to_stripe
from tollgate.psp.stripe.charges import fee_of, read_disputes, read_refunds
from tollgate.psp.stripe.commands import Answer, Commands
from tollgate.psp.stripe.events import read_event
from tollgate.psp.stripe.intents import charge_of, read_intent
from tollgate.psp.stripe.movements import Books
from tollgate.psp.stripe.reader import Reader
from tollgate.psp.stripe.sessions import read_session
from tollgate.psp.stripe.signature import verify
from tollgate.psp.stripe.values import expanded, our_reference
from tollgate.settings import Settings

API_VERSION = "2026-10-28.endive"
"""Of requests, and to be chosen for the webhook endpoint too: an event comes in its version."""
MAX_AMOUNT = 99_999_999
"""Stripe takes eight digits (docs.stripe.com/currencies, minimum and maximum charge amounts)."""

CLOCKS_DIFFER = timedelta(minutes=1)
OPENED_AT_ONCE = timedelta(minutes=10)
OPENED_AT_LAST = timedelta(hours=24)
"""A payment is sent again for as long as it can be paid, which is less than a day."""
FIND_PAGES_MAX = 20
"""Two thousand of each kind: somebody may wait. In a busier day `find` can't tell."""
LIST_PAGES_MAX = 20
"""Of one charge's refunds or disputes."""

CAPABILITIES = Capabilities(
    currencies=CURRENCIES,
    methods=frozenset({Method.CARD}),
    refund=RefundBy.API,
    cancel=CancelBy.API,
    # Stripe keeps a key for 24 hours at least; a request may be long on its way
    idempotency_hours=20,
    pages=frozenset({PaymentPage.HOSTED, PaymentPage.EMBEDDED}),
    manual_capture=True,
    saves_methods=True,
    off_session=True,
    dispute_events=True,
    ends_are_final=True,
    books=True,
)

_INTENT = "pi_"
_OF_CHARGE = ("latest_charge.balance_transaction", "latest_charge.refunds")


class Stripe:
    """Stripe, as a Psp.

    Its reference of a payment is the Checkout Session's id; the PaymentIntent's, `pi_…`, where we
    made that without a session.
    """

    capabilities = CAPABILITIES

    def __init__(self, settings: Settings, _tokens: Tokens | None = None) -> None:
        self._settings = settings

    def check(self, order: Order) -> None:
        """See Psp.check."""
        self._settings.psp_value("STRIPE_SECRET_KEY")
        if to_stripe(order.money) > MAX_AMOUNT:
            raise UnsupportedAmount("Stripe takes amounts of at most eight digits.")
        if order.page is PaymentPage.EMBEDDED and order.saved_method is None:
            self._settings.psp_value("STRIPE_PUBLISHABLE_KEY")

    def start(self, order: Order) -> Outcome:
        """Creates a Session or a PaymentIntent under our idempotency key. See Psp.start."""
        if order.saved_method is not None:
            answer = self._commands.charge(order)
        elif order.page is PaymentPage.EMBEDDED:
            answer = self._commands.open_intent(order)
        else:
            answer = self._commands.open_session(order)
        if isinstance(answer, Failure):
            return Outcome(PaymentStatus.FAILED, failure=answer)
        if answer is None:
            return UNKNOWN
        try:
            return self._outcome(answer)
        except NOT_AS_DOCUMENTED:
            return UNKNOWN

    def find(
        self, payment_id: str, created_at: datetime, _off_session: bool = False
    ) -> Outcome | None:
        """Looks through what was made in a day: Stripe can't be asked by our reference.

        The first minutes come first, for that is when almost every payment is opened. Sessions come
        before PaymentIntents, for those of a session have our reference too. See Psp.find.
        """
        opened = created_at - CLOCKS_DIFFER
        at_once, at_last = created_at + OPENED_AT_ONCE, created_at + OPENED_AT_LAST
        for since, until in (opened, at_once), (at_once, at_last):
            made = {"created[gte]": int(since.timestamp()), "created[lte]": int(until.timestamp())}
            for path in "/v1/checkout/sessions", "/v1/payment_intents":
                for found in self._reader.listed(path, made, FIND_PAGES_MAX):
                    with as_documented("Stripe"):
                        if our_reference(mapping(found), "payment_id") == payment_id:
                            return self.fetch(text(found["id"]))
        return None

    def fetch(self, psp_reference: str) -> Outcome:
        """Reads the Session or PaymentIntent with its charge. See Psp.fetch."""
        opened = self._opened(psp_reference, _OF_CHARGE)
        with as_documented("Stripe"):
            outcome = self._outcome(opened)
            charge = charge_of(_intent_of(opened))
            if outcome.status is not PaymentStatus.SUCCEEDED or charge is None:
                return outcome
            return replace(
                outcome,
                fee=fee_of(charge),
                refunds=self._refunds(charge),
                disputes=self._disputes(charge),
            )

    def capture(self, psp_reference: str, money: Money, idempotency_key: str) -> Failure | None:
        """Captures the PaymentIntent. See Psp.capture."""
        amount = to_stripe(money)
        opened = self._opened(psp_reference)
        with as_documented("Stripe"):
            intent = _intent_of(opened)
            if intent is None:
                return Failure("not_capturable", "There is nothing to capture of this payment.")
            if intent["status"] == "succeeded" and intent["amount_received"] == amount:
                return None  # an earlier request did it, and its answer was lost
            intent_id = text(intent["id"])
        return _refusal(self._commands.capture(intent_id, amount, idempotency_key))

    def cancel(self, psp_reference: str, idempotency_key: str) -> Failure | None:
        """Expires an open Session, or cancels a PaymentIntent: of a Session, only what is held.

        See Psp.cancel.
        """
        opened = self._opened(psp_reference)
        with as_documented("Stripe"):
            intent = _intent_of(opened)
            page = None if _is_intent(opened) else text(opened["status"])
            status = text(intent["status"]) if intent is not None else None
            intent_id = text(intent["id"]) if intent is not None else ""
        match page, status:
            case "open", _:
                return _refusal(self._commands.expire_session(psp_reference, idempotency_key))
            case ("expired", _) | (_, "canceled"):
                return None  # an earlier request did it, or time
            case ("complete", "requires_capture") | (
                None,
                "requires_payment_method"
                | "requires_confirmation"
                | "requires_action"
                | "requires_capture",
            ):
                # not the request above, though the app asks once: Stripe wants another key for it
                key = f"{idempotency_key}-intent"
                return _refusal(self._commands.cancel_intent(intent_id, key))
            case _:
                return Failure("not_cancelable", "This payment can't be canceled any more.")

    def refund(self, order: RefundOrder) -> Failure | None:
        """Refunds the PaymentIntent. See Psp.refund."""
        opened = self._opened(order.psp_reference)
        with as_documented("Stripe"):
            intent = _intent_of(opened)
            intent_id = text(intent["id"]) if intent is not None else None
        if intent_id is None:
            return Failure("not_refundable", "There is nothing to give back of this payment.")
        payment_id = our_reference(opened, "payment_id")
        return _refusal(self._commands.refund(order, payment_id, intent_id))

    def list_movements(self, since: datetime, until: datetime) -> Iterator[Movement]:
        """Reads the lists of charges, refunds and disputes. See Psp.list_movements."""
        books = Books(self._reader, since, until)
        yield from books.captures()
        yield from books.refunds()
        yield from books.disputes()

    def read_event(self, callback: Callback, now: datetime) -> Hint:
        """Reads an Event after checking `Stripe-Signature`. See Psp.read_event."""
        secret = self._settings.psp_value("STRIPE_WEBHOOK_SECRET")
        header = callback.headers.get("stripe-signature")
        if not header:
            raise SignatureRefused
        verify(header, callback.body, secret, now)
        return read_event(callback.body)

    def _opened(self, psp_reference: str, expand: tuple[str, ...] = ()) -> Mapping[str, Any]:
        """The Session with its PaymentIntent, or the PaymentIntent, of this reference of ours."""
        name = quote(psp_reference, safe="")
        if psp_reference.startswith(_INTENT):
            query = {"expand[]": list(expand)} if expand else {}
            return self._reader.get(f"/v1/payment_intents/{name}", query)
        within = [f"payment_intent.{path}" for path in expand] or ["payment_intent"]
        return self._reader.get(f"/v1/checkout/sessions/{name}", {"expand[]": within})

    def _outcome(self, opened: Mapping[str, Any]) -> Outcome:
        if _is_intent(opened):
            return read_intent(opened, self._settings.find_psp_value("STRIPE_PUBLISHABLE_KEY"))
        return read_session(opened)

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
    def _commands(self) -> Commands:
        return Commands(self._api_url, self._secret_key, API_VERSION)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self._api_url, self._secret_key, API_VERSION)

    @property
    def _secret_key(self) -> str:
        return self._settings.psp_value("STRIPE_SECRET_KEY")

    @property
    def _api_url(self) -> str:
        url = self._settings.find_psp_value("STRIPE_API_URL") or "https://api.stripe.com"
        return url.rstrip("/")


def _is_intent(opened: Mapping[str, Any]) -> bool:
    return opened.get("object") == "payment_intent"


def _intent_of(opened: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A session has none until its client acts. Raises KeyError, TypeError."""
    if _is_intent(opened):
        return opened
    intent = opened["payment_intent"]
    return mapping(intent) if intent is not None else None


def _refusal(answer: Answer) -> Failure | None:
    return answer if isinstance(answer, Failure) else None
