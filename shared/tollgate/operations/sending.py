"""Sending something to a PSP so that it has its effect once, also when it is sent again.

Sent again under the same key, the PSP does nothing twice, for as long as it knows the key. After
that, and where a PSP has no keys, it is asked by our reference first, and nothing is sent while it
can't tell. No transaction is open meanwhile.
"""

from datetime import datetime, timedelta

from tollgate.domain.capabilities import CancelBy, RefundBy, check_supported
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order, RefundOrder
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import Failure, Method, Payment, PaymentStatus
from tollgate.domain.refund import Refund
from tollgate.operations.context import Context
from tollgate.psp.protocol import Psp
from tollgate.storage import breakers, saved_methods


def check(context: Context, payment: Payment, customer: Customer) -> None:
    """Whether its PSP could take this payment; nobody is asked. Raises an Unprocessable that names
    what the PSP supports, Misconfigured."""
    psp, order = context.psp(payment.psp), _order(context, payment, customer)
    check_supported(payment.psp, psp.capabilities, order)
    psp.check(order)


def start(context: Context, payment: Payment, customer: Customer, *, again: bool) -> Outcome:
    """Opens the payment at its PSP. Raises as Psp.start and Psp.find do."""
    psp = context.psp(payment.psp)
    if again and _is_forgotten(context, psp, payment.created_at):
        found = psp.find(payment.id, payment.created_at, payment.is_off_session)
        if found is not None:
            return found
    try:
        outcome = psp.start(_order(context, payment, customer))
    except PspUnavailable:
        breakers.record_failure(context.cache, payment.psp)
        raise
    if outcome.status is PaymentStatus.PENDING:
        breakers.record_failure(context.cache, payment.psp)
    else:
        breakers.record_success(context.cache, payment.psp)
    return outcome


def refund(context: Context, payment: Payment, asked: Refund, *, again: bool) -> Failure | None:
    """Asks the payment's PSP for a refund; its refusal. Raises as Psp.refund and Psp.fetch do.

    Where people at the PSP decide, it is asked once; where nobody can be asked, never: an operator
    tells what became of it.
    """
    assert payment.psp_reference is not None
    psp = context.psp(payment.psp)
    by = psp.capabilities.refund
    if by is RefundBy.MANUAL or (by is RefundBy.REQUEST and again):
        return None
    if again and _is_forgotten(context, psp, asked.created_at):
        said = psp.fetch(payment.psp_reference)
        if said.status is not PaymentStatus.SUCCEEDED:
            raise PspUnavailable
        if any(word.refund_id == asked.id for word in said.refunds):
            return None
    return psp.refund(RefundOrder(asked.id, payment.psp_reference, asked.money, asked.reason))


def capture(context: Context, payment: Payment) -> Failure | None:
    """Asks for as much of an authorized payment as the app did. Raises as Psp.capture does.

    Needs no look before: an authorization can be captured once.
    """
    assert payment.psp_reference is not None and payment.capture_amount_minor is not None
    money = Money(payment.capture_amount_minor, payment.money.currency)
    key = f"tollgate-{payment.id}-capture-{payment.version}"  # one that was refused may be retried
    return context.psp(payment.psp).capture(payment.psp_reference, money, key)


def cancel(context: Context, payment: Payment) -> Failure | None:
    """Asks to end a payment that has not been paid. Raises as Psp.cancel does.

    A refusal says nothing where payments end here: it may be the second time that we ask.
    """
    assert payment.psp_reference is not None
    key = f"tollgate-{payment.id}-cancel-{payment.version}"
    refusal = context.psp(payment.psp).cancel(payment.psp_reference, key)
    return None if ends_here(context, payment) else refusal


def ends_here(context: Context, payment: Payment) -> bool:
    """Whether its PSP ends no payment when it is asked to."""
    return context.psp(payment.psp).capabilities.cancel is CancelBy.LOCAL


def _is_forgotten(context: Context, psp: Psp, sent_at: datetime) -> bool:
    """Whether the PSP may not know any more that it had this request before."""
    return context.now() - sent_at >= timedelta(hours=psp.capabilities.idempotency_hours)


def _order(context: Context, payment: Payment, customer: Customer) -> Order:
    """From the payment's row and what is sealed in it alone: each attempt sends the same bytes to a
    PSP that knows it by its key."""
    saved_id = payment.saved_method_id
    back = f"{context.settings.public_url}/payments/return/{payment.id}"
    return Order(
        payment_id=payment.id,
        money=payment.money,
        description=payment.description or payment.plan or "Payment",
        return_url=back,
        cancel_url=f"{back}?left=1",
        expires_at=payment.expires_at,
        customer=customer,
        method=Method(payment.method) if payment.method else None,
        capture=payment.capture,
        page=payment.page,
        save_method=payment.save_method,
        saved_method=saved_methods.get_saved_method(context.database, saved_id)
        if saved_id
        else None,
        attempt=context.random_bytes(4).hex(),
    )
