"""What GetTransactionStatus says of an order."""

from datetime import UTC, datetime

from local.pesapal.currencies import major_of
from local.pesapal.errors import NO_ERROR, Json, error_of
from local.pesapal.notices import callback_of
from local.pesapal.store import Charge, Order

_UNPAID = error_of("payment_details_not_found", "Pending Payment")
_UNDOCUMENTED = 99


def status_of(order: Order, *, silent: bool) -> Json:
    """The answer; `silent` says of an unpaid order only that it is unpaid.

    An order that was canceled is called unpaid, or failed: Pesapal has no word for it.
    """
    code, text = _code_of(order)
    is_unpaid = order.charge is None and not order.state
    if silent and is_unpaid:
        return {"status_code": 0, "error": _UNPAID, "status": "500"}
    charge = order.charge or Charge("", "", order.amount_minor, order.currency)
    created = datetime.fromtimestamp(order.created, UTC).replace(tzinfo=None)
    return {
        "payment_method": charge.method,
        "amount": major_of(charge.amount_minor, charge.currency),
        "created_date": created.isoformat(timespec="milliseconds"),
        "confirmation_code": charge.confirmation_code,
        "order_tracking_id": order.id,
        "payment_status_description": text,
        "description": charge.failure_code.replace("_", " ").capitalize() or None,
        "message": "Request processed successfully",
        "payment_account": charge.account or None,
        "call_back_url": callback_of(order),
        "status_code": code,
        "merchant_reference": order.reference,
        "account_number": None,
        "payment_status_code": charge.failure_code,
        "currency": charge.currency,
        "error": _UNPAID if is_unpaid else NO_ERROR,
        "status": "500" if is_unpaid else "200",
    }


def _code_of(order: Order) -> tuple[int, str]:
    if order.state:
        return int(order.state) if order.state.isdecimal() else _UNDOCUMENTED, order.state
    if order.charge is None:
        return 0, "INVALID"
    if order.refunded_minor:
        return 3, "Reversed"
    return (1, "Completed") if order.charge.confirmation_code else (2, "Failed")
