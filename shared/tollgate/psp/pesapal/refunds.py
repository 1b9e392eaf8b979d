"""A refund, which Pesapal takes as a wish: somebody has to approve it in the merchant's pages.

Source: developer.pesapal.com, API 3.0 (refund request). One request for a payment, in its currency;
of a card any part of it, of mobile money all or nothing.
"""

from typing import Any

from tollgate.domain.errors import UnsupportedAmount
from tollgate.domain.order import RefundOrder
from tollgate.domain.payment import Failure
from tollgate.psp.pesapal.requests import amount_of
from tollgate.psp.pesapal.status import COMPLETED, Transaction


def refund_request(
    order: RefundOrder, transaction: Transaction, username: str
) -> dict[str, Any] | Failure:
    """The body of RefundRequest, or why Pesapal is known to refuse it."""
    paid, code = transaction.money, transaction.confirmation_code
    if transaction.code != COMPLETED or paid is None or code is None:
        return Failure("not_refundable", "Pesapal has nothing of this payment to give back.")
    if order.money.currency != paid.currency or order.money.amount_minor > paid.amount_minor:
        return Failure("not_refundable", "Pesapal took less than this, or in another currency.")
    if transaction.is_mobile_money and order.money != paid:
        return Failure("partial_refund_unsupported", "Mobile money is given back whole, or not.")
    try:
        amount = amount_of(order.money)
    except UnsupportedAmount as error:
        return Failure(error.code, error.detail)
    return {
        "confirmation_code": code,
        "amount": amount,
        "username": username,
        "remarks": f"Refund {order.refund_id}",
    }
