"""The ways to pay a bill that its page offers: by which methods, and each by which PSP."""

from tollgate.domain.bill import Bill
from tollgate.domain.capabilities import check_supported
from tollgate.domain.errors import CustomerIncomplete, Misconfigured, Unprocessable
from tollgate.domain.order import Customer, Order
from tollgate.domain.payment import Method
from tollgate.operations.bill_payments import psps_for
from tollgate.operations.context import Context
from tollgate.storage import breakers

_ORDER = (Method.MPESA, Method.CARD, Method.PAYPAL, Method.AIRTEL, Method.EQUITEL)


def ways_to_pay(context: Context, bill: Bill) -> dict[Method, str]:
    """The methods that this bill can be paid by, each with the first PSP of the app's that takes
    it and is up; with one that is down, where no other can."""
    ways: dict[Method, str] = {}
    for method in _ORDER:
        able = [
            psp for psp in psps_for(context, bill, method) if _takes(context, psp, bill, method)
        ]
        up = [psp for psp in able if len(able) == 1 or not breakers.is_down(context.cache, psp)]
        if able:
            ways[method] = (up or able)[0]
    return ways


def prompts_for(context: Context, psp: str, method: str | None) -> bool:
    """Whether this PSP asks for it on the client's phone, without a page."""
    return method in context.psp(psp).capabilities.prompts


def offers_to_save(context: Context, psp: str, method: Method) -> bool:
    """Whether the form has a box for it: what was not asked for is not consented to."""
    return method is Method.CARD and context.psp(psp).capabilities.saves_methods


def _takes(context: Context, psp: str, bill: Bill, method: Method) -> bool:
    """Whether this PSP takes this very amount by this method; nobody is asked."""
    order = Order(
        payment_id=bill.id,
        money=bill.money,
        description=bill.plan,
        return_url="",
        cancel_url="",
        expires_at=bill.closes_at,
        customer=Customer(),
        method=method,
    )
    try:
        adapter = context.psp(psp)
        check_supported(psp, adapter.capabilities, order)
        adapter.check(order)
    except CustomerIncomplete:
        return True  # the form asks the client for it
    except (Misconfigured, Unprocessable):
        return False
    return True
