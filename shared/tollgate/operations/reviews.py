"""Payments that an operator has to decide about: what the PSP said is not what was asked, or can't
be true. Nothing but a decision here ends that, and each one is audited with its reason."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tollgate.domain.card_numbers import mask_card_numbers
from tollgate.domain.errors import Conflict, FieldError, InvalidFields, NotInReview
from tollgate.domain.ids import is_id
from tollgate.domain.page import Listing, listing, read_page
from tollgate.domain.payment import Payment, PaymentStatus
from tollgate.domain.principal import Tenant
from tollgate.domain.settling import paid_status
from tollgate.operations.context import Call, Context
from tollgate.operations.periods import follow_money, grant_period
from tollgate.operations.settlement import save_locked
from tollgate.storage import access_cache, disputes, payments
from tollgate.storage.payments import PaymentFilter
from tollgate.storage.subscriptions import ClientDates

if TYPE_CHECKING:
    from tollgate.schemas.reviews import ResolveReview


_MAY_BE_PAID = (PaymentStatus.SUCCEEDED, PaymentStatus.NEEDS_REVIEW)
"""What the PSP said: that it was paid, or that somebody must look whether it was."""


def list_reviews(context: Context, call: Call[None]) -> Listing[Payment]:
    """The payments that wait for a decision, of ?app_id or of all apps, newest first."""
    page, app_id = read_page(call.query), call.query.get("app_id")
    if app_id is not None:
        if not is_id("app", app_id):
            raise InvalidFields(errors=(FieldError("app_id", "This can't be an app's id."),))
        context = context.within(Tenant(app_id))
    wanted = PaymentFilter(app_id=app_id, status=PaymentStatus.NEEDS_REVIEW)
    found = payments.list_payments(context.database, wanted, page)
    return listing(page, found, lambda payment: payment.id)


def resolve_review(context: Context, call: "Call[ResolveReview]") -> Payment:
    """Ends a review: accepted, the payment is paid and gives its period; rejected, it is canceled.

    One that was paid before it came into review can only be accepted: it is again what its refunds
    and disputes say. Raises NotFound, NotInReview, Conflict.
    """
    context = context.within(payments.get_payment(context.database, call.target).tenant)
    with context.database.transaction():
        payment = payments.lock_payment(context.database, call.target)
        if payment.status is not PaymentStatus.NEEDS_REVIEW:
            raise NotInReview
        decided, dates = _decide(context, call, payment)
    if dates:  # only now that it is committed
        access_cache.put_dates(context.cache, payment.app_id, payment.client_id, dates)
    return decided


def _decide(
    context: Context, call: "Call[ResolveReview]", payment: Payment
) -> tuple[Payment, ClientDates | None]:
    """The payment as it then stands, and its client's dates where they changed."""
    if call.content.resolution == "reject":
        return _reject(context, call, payment), None
    if payment.amount_captured_minor:
        return _accept_as_it_was(context, call, payment)
    return _accept_as_paid(context, call, payment)


def _reject(context: Context, call: "Call[ResolveReview]", payment: Payment) -> Payment:
    if payment.amount_captured_minor:
        raise Conflict("Money was taken for this payment: accept it, then refund it.")
    canceled = replace(payment, status=PaymentStatus.CANCELED)
    return _save(context, call, payment, canceled, "payment.review_rejected")


def _accept_as_it_was(
    context: Context, call: "Call[ResolveReview]", payment: Payment
) -> tuple[Payment, ClientDates | None]:
    """What made it doubtful is not believed; what was recorded before stands."""
    disputed = disputes.list_of_payment(context.database, payment.id)
    captured, refunded = payment.amount_captured_minor, payment.amount_refunded_minor
    after = replace(payment, status=paid_status(captured, refunded, disputed), failure=None)
    dates = follow_money(context, payment, after, call.caller.actor)
    return _accepted(context, call, payment, after), dates


def _accept_as_paid(
    context: Context, call: "Call[ResolveReview]", payment: Payment
) -> tuple[Payment, ClientDates | None]:
    if (payment.review or {}).get("status") not in _MAY_BE_PAID:
        raise Conflict("The PSP does not say that this was paid. Reject it.")
    after = replace(
        payment,
        status=PaymentStatus.SUCCEEDED,
        amount_captured_minor=_taken_minor(payment, payment.review or {}),
        failure=None,
    )
    dates = None
    if after.plan is not None:
        after, dates = grant_period(context, after, call.caller.actor)
    return _accepted(context, call, payment, after), dates


def _taken_minor(payment: Payment, said: Mapping[str, object]) -> int:
    """What an accepted payment brought in: no more than was asked, in its own currency."""
    asked = payment.capture_amount_minor or payment.money.amount_minor
    amount = said.get("amount")
    if said.get("currency") == payment.money.currency and isinstance(amount, int) and amount > 0:
        return min(amount, asked)
    return asked


def _accepted(
    context: Context, call: "Call[ResolveReview]", before: Payment, after: Payment
) -> Payment:
    # what it said meanwhile, of a refund for one, was not listened to
    return _save(context, call, before, after, "payment.review_accepted", look_again=True)


def _save(
    context: Context,
    call: "Call[ResolveReview]",
    before: Payment,
    after: Payment,
    action: str,
    *,
    look_again: bool = False,
) -> Payment:
    return save_locked(
        context,
        before,
        replace(after, updated_at=context.now()),
        call.caller.actor,
        action=action,
        note=mask_card_numbers(call.content.note),
        look_again=look_again,
    )
