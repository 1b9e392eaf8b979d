"""Where a PSP sends the client's browser back to."""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

from tollgate.domain.errors import NotFound
from tollgate.domain.payment import Payment, PaymentStatus
from tollgate.domain.principal import EVERY_TENANT
from tollgate.operations.context import Call, Context, Reply
from tollgate.operations.settlement import ask_psp
from tollgate.storage import payments

RETURN_PAUSE_SECONDS = 1
"""Anybody who has the address may call: the PSP is asked once a second about a payment, no more."""

_SAYS: Mapping[PaymentStatus, tuple[str, str]] = {
    PaymentStatus.SUCCEEDED: ("receipt", "close"),
    PaymentStatus.PARTIALLY_REFUNDED: ("receipt", "close"),
    PaymentStatus.REFUNDED: ("given_back", "close"),
    PaymentStatus.DISPUTED: ("given_back", "close"),
    PaymentStatus.REQUIRES_ACTION: ("waiting", "close"),
    PaymentStatus.FAILED: ("failed", "close"),
    PaymentStatus.CANCELED: ("failed", "close"),
    PaymentStatus.EXPIRED: ("failed", "close"),
    PaymentStatus.NEEDS_REVIEW: ("in_review", "in_review_text"),
}
"""The heading and the text for each, by their names in pages/texts.py."""
_SAYS_OTHERWISE = ("waiting", "being_confirmed")


def return_client(context: Context, call: Call[None]) -> Reply:
    """Settles, then sends the browser on to the app's page (303), with ?payment_id=….

    The status is not in the address: an app asks us for it, and believes no browser. Without a
    page of the app's, a few words are shown.
    """
    payment = payments.find_payment(context.within(EVERY_TENANT).database, call.target)
    if payment is None:
        raise NotFound
    payment = ask_psp(context, payment, pause_seconds=RETURN_PAUSE_SECONDS)
    left = call.query.get("left") == "1" and payment.is_open
    page = payment.cancel_url if left else payment.return_url
    if page is None:
        return _page(call, payment)
    return Reply(303, "", headers={"location": _with_payment_id(page, payment.id)})


def _with_payment_id(url: str, payment_id: str) -> str:
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, f"payment_id={quote(payment_id)}")))
    return urlunsplit(parts._replace(query=query))


def _page(call: Call[None], payment: Payment) -> Reply:
    # imported here: most clients are sent on to a page of their app's
    from tollgate.pages.bill import plain_page
    from tollgate.pages.layout import CONTENT_TYPE, HEADERS
    from tollgate.pages.texts import language_of

    name, text = _SAYS.get(payment.status, _SAYS_OTHERWISE)
    html = plain_page(language_of(call.query, call.headers), name, text=text)
    return Reply(200, html, headers=dict(HEADERS), content_type=CONTENT_TYPE)
