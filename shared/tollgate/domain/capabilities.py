"""What a PSP can do, and the refusal of what it can't before anything is sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tollgate.domain.errors import (
    TollgateError,
    UnsupportedByPsp,
    UnsupportedCurrency,
    UnsupportedMethod,
)
from tollgate.domain.order import Order
from tollgate.domain.payment import Capture, Method, PaymentPage


class RefundBy(StrEnum):
    """How money goes back. `api`: the PSP does it when asked. `request`: it takes the wish, and
    people there decide. `manual`: nobody can be asked; somebody does it in the PSP's pages."""

    API = "api"
    REQUEST = "request"
    MANUAL = "manual"


class CancelBy(StrEnum):
    """How an unpaid payment ends before its time. `api`: at the PSP, which then says so. `local`:
    here alone; the PSP may take its money all the same, and its word that it did wins."""

    API = "api"
    LOCAL = "local"


@dataclass(frozen=True)
class Capabilities:
    """What one PSP can do.

    idempotency_hours  for how long it knows a request by its key, so that the same one again does
                       nothing twice; 0: it has no such keys
    methods            what an app may ask for by name; without a name its own page lets choose
    prompts            which of them it asks for on the client's phone, without a page
    pages              whose page the client pays on
    ends_are_final     whether what it calls failed or expired can't be paid any more
    books              whether `list_movements` can tell its books
    """

    currencies: frozenset[str]
    methods: frozenset[Method]
    refund: RefundBy
    cancel: CancelBy
    idempotency_hours: int = 0
    prompts: frozenset[Method] = frozenset()
    pages: frozenset[PaymentPage] = frozenset({PaymentPage.HOSTED})
    manual_capture: bool = False
    saves_methods: bool = False
    off_session: bool = False
    dispute_events: bool = False
    ends_are_final: bool = False
    books: bool = False


def check_supported(psp: str, can: Capabilities, order: Order) -> None:
    """Raises UnsupportedCurrency, UnsupportedMethod, UnsupportedByPsp, naming what is supported."""
    currency = order.money.currency
    if currency not in can.currencies:
        raise UnsupportedCurrency(f"{psp} takes {_list(can.currencies)}; not {currency}.")
    if order.method is not None and order.method not in can.methods:
        raise UnsupportedMethod(f"{psp} takes {_list(can.methods)}; not {order.method}.")
    wishes = (
        ("page: embedded", order.page not in can.pages),
        ("capture: manual", order.capture is Capture.MANUAL and not can.manual_capture),
        ("save_method", order.save_method and not can.saves_methods),
        ("off_session", order.saved_method is not None and not can.off_session),
    )
    for wish, is_refused in wishes:
        if is_refused:
            raise UnsupportedByPsp(f"{psp} can't do this: {wish}.")


def refusal_of_all(refusals: Iterable[TollgateError]) -> TollgateError:
    """One error for several PSPs that all refuse: the first one's kind and fields, everybody's
    reason."""
    said = list(refusals)
    return type(said[0])(" ".join(refusal.detail for refusal in said), said[0].errors)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
