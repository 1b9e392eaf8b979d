"""The form by which a client's browser opens Jenga's hosted checkout.

Source: Jenga PGW checkout reference.
"""

from collections.abc import Mapping

from tollgate.domain.order import Order
from tollgate.psp.jenga.references import OrderReference
from tollgate.psp.jenga.signature import Signer
from tollgate.psp.major_units import to_major

LIVE_PAGE = "https://v3.jengapgw.io/processPayment"
TEST_PAGE = "https://v3-uat.jengapgw.io/processPayment"

TIME_LIMIT = "15mins"
"""How long the page may be paid on, from when the form is posted: as long as a token may live."""
DESCRIPTION_MAX = 200
_OF_THE_CLIENT = (
    "customerFirstName",
    "customerLastName",
    "customerEmail",
    "customerPhone",
    "customerPostalCodeZip",
    "customerAddress",
)
"""Left to Jenga's page: the form is stored and passed on, and holds nothing of the person."""


def checkout_fields(
    order: Order, reference: OrderReference, *, merchant: str, country: str, signer: Signer
) -> Mapping[str, str]:
    """The form without its token. Raises UnsupportedAmount, Misconfigured.

    Signed always: Jenga wants it in secure mode, where the browser can then change neither the
    amount nor where it is sent on to, and passes over it else. Jenga's table wants the client's
    fields to be there; whether it wants something in them is not documented.
    """
    currency, amount = order.money.currency, to_major(order.money)
    signature = signer.sign(merchant, reference.text, currency, amount, order.return_url)
    return {
        "merchantCode": merchant,
        "currency": currency,
        "orderAmount": amount,
        "orderReference": reference.text,
        "productType": "Service",
        "productDescription": order.description[:DESCRIPTION_MAX],
        "extraData": order.payment_id,
        "paymentTimeLimit": TIME_LIMIT,
        "callbackUrl": order.return_url,
        "countryCode": country,
        "signature": signature,
        **dict.fromkeys(_OF_THE_CLIENT, ""),
    }
