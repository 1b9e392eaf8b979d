"""Where a PSP sends the client's browser back to."""

from html import escape
from urllib.parse import quote, urlsplit, urlunsplit

from tollgate.domain.errors import NotFound
from tollgate.domain.payment import Payment, PaymentStatus
from tollgate.domain.principal import EVERY_TENANT
from tollgate.operations.context import Call, Context, Reply
from tollgate.operations.settlement import ask_psp
from tollgate.storage import payments

RETURN_PAUSE_SECONDS = 1
"""Anybody who has the address may call: the PSP is asked once a second about a payment, no more."""

_SAYS = {
    PaymentStatus.SUCCEEDED: "Thank you, your payment arrived.",
    PaymentStatus.REQUIRES_ACTION: "This payment has not been made, or is being confirmed.",
    PaymentStatus.FAILED: "The payment did not go through. Nothing was charged.",
    PaymentStatus.CANCELED: "This payment was canceled. Nothing was charged.",
    PaymentStatus.EXPIRED: "The time to pay is over. Nothing was charged.",
}
_SAYS_OTHERWISE = "Your payment is being confirmed."


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
        return Reply(200, _page(payment), content_type="text/html; charset=utf-8")
    return Reply(303, "", headers={"location": _with_payment_id(page, payment.id)})


def _with_payment_id(url: str, payment_id: str) -> str:
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, f"payment_id={quote(payment_id)}")))
    return urlunsplit(parts._replace(query=query))


def _page(payment: Payment) -> str:
    says = escape(_SAYS.get(payment.status, _SAYS_OTHERWISE))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{says}</title>"
        '<body style="font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; '
        'margin: 15vh auto; padding: 0 1rem">'
        f"<h1>{says}</h1><p>You can close this page.</p></body></html>"
    )
