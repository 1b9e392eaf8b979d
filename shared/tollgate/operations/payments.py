"""Taking a payment: recorded, then asked of the PSP, then the answer recorded."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tollgate.crash_points import CrashPoint, reach
from tollgate.domain.errors import (
    IdempotencyKeyInUse,
    NoSavedMethod,
    PlanNotPriced,
    ReturnUrlNotAllowed,
    Unavailable,
    UnknownPlan,
)
from tollgate.domain.events import payment_event
from tollgate.domain.idempotency import StoredAnswer, answer_of
from tollgate.domain.money import Money
from tollgate.domain.order import Customer
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import Payment, PaymentStatus
from tollgate.domain.routing import psps_in_order
from tollgate.domain.settling import apply
from tollgate.operations import sending
from tollgate.operations.context import Call, Context
from tollgate.operations.customers import seal_customer
from tollgate.operations.routing import first_able
from tollgate.operations.settlement import payment_event_data, plan_check, record
from tollgate.storage import idempotency, payments, saved_methods
from tollgate.storage.offers import Offer, read_offer

if TYPE_CHECKING:
    from tollgate.schemas.payments import CreatePayment

PAYABLE_HOURS = 23
"""How long a payment can be paid. Stripe's pages live at most 24 hours; this leaves it room."""


_MORE_FOLLOWS = (PaymentStatus.SUCCEEDED, PaymentStatus.NEEDS_REVIEW)
"""At once, without a page: it gives its period too, or somebody must be told to look."""


def create_payment(context: Context, call: "Call[CreatePayment]") -> StoredAnswer:
    """Starts a payment at a PSP, once for its Idempotency-Key, whatever dies in between."""
    claim, request = call.key_claim, call.content
    offer = read_offer(context.database, claim.app_id, claim.key, request.plan, request.currency)
    if not offer.is_held:
        payment, actor = _new_payment(context, call, offer), call.caller.actor
        customer = seal_customer(context, payment, _customer(request))
        if payments.insert_claimed(
            context.database, payment, customer, claim, actor=actor, now=context.now()
        ):
            return _charge(context, call, payment, again=False)
    return _repeat(context, call)


def _repeat(context: Context, call: "Call[CreatePayment]") -> StoredAnswer:
    """What the first request with this key was answered, or would be if it had not died."""
    claim, now = call.key_claim, context.now()
    held = idempotency.find_held(context.database, claim.app_id, claim.key)
    assert held is not None
    answer = answer_of(held, claim, now)
    if answer is not None:
        return answer
    payment = payments.get_payment(context.database, held.payment_id)
    if held.is_removed:  # the answer is forgotten; what it was about is not
        return replace(call.answer(201, payment), replayed=True)
    # Its holder died on the way. The payment's own row carries on.
    if not idempotency.take_over(context.database, claim, held, now):
        raise IdempotencyKeyInUse
    return _charge(context, call, payment, again=True)


def _charge(
    context: Context, call: "Call[CreatePayment]", payment: Payment, *, again: bool
) -> StoredAnswer:
    """Asks the PSP, with no transaction open, and records what it says."""
    if payment.status is not PaymentStatus.PENDING:
        # a webhook, or reconcile, was quicker than the caller who died
        return _store(context, call, 201, payment)
    reach(CrashPoint.CREATE_CLAIMED)
    try:
        outcome = sending.start(context, payment, _customer(call.content), again=again)
    except Unavailable:
        # certain: nothing was charged. The next try with this key may go on at once.
        idempotency.release(context.database, call.key_claim, context.now())
        raise
    reach(CrashPoint.CREATE_STARTED)
    answer = _record(context, call, payment, outcome)
    reach(CrashPoint.CREATE_RECORDED)
    return answer


def _record(
    context: Context, call: "Call[CreatePayment]", payment: Payment, outcome: Outcome
) -> StoredAnswer:
    """Records what the PSP said together with our answer; the answer that is kept for the key."""
    after = apply(payment, outcome, context.now())
    if after is payment:
        return _store(context, call, 202, payment)
    if after.status in _MORE_FOLLOWS:
        paid = record(context, payment, outcome, call.caller.actor)
        return _store(context, call, 201, paid)
    answer = call.answer(201, after)
    saved = payments.save_payment(
        context.database,
        payment,
        after,
        event_id=context.new_id("evt"),
        event_type=payment_event(payment, after),
        event_data=payment_event_data(after),
        actor=call.caller.actor,
        next_check_at=plan_check(context, after),
        claim=call.key_claim,
        answer=answer,
    )
    if saved.answered:
        return answer
    # somebody else moved the payment, or answered for this key, while the PSP answered us
    moved = payments.get_payment(context.database, payment.id)
    return _store(context, call, 201, moved)


def _store(
    context: Context, call: "Call[CreatePayment]", status: int, payment: Payment
) -> StoredAnswer:
    answer = call.answer(status, payment)
    return idempotency.store_answer(context.database, call.key_claim, answer)


def _new_payment(context: Context, call: "Call[CreatePayment]", offer: Offer) -> Payment:
    request = call.content
    for url in (request.return_url, request.cancel_url):
        _check_origin(url, offer.return_origins)
    kept = _kept(context, call) if request.off_session else {}

    def prepare(psp: str) -> Payment:
        payment = _recordable(context, call, offer, psp, kept.get(psp))
        sending.check(context, payment, _customer(request))
        return payment

    return first_able(context, _psps(request, offer, kept), prepare)


def _psps(request: "CreatePayment", offer: Offer, kept: Mapping[str, str]) -> tuple[str, ...]:
    """Who may take this payment, in order: who the app says, now or by its routing."""
    currency = _price(request, offer).currency
    psps = psps_in_order(offer.routing, offer.default_psp, currency, request.method)
    if request.psp is not None:
        psps = (request.psp,)
    if request.off_session:
        psps = tuple(psp for psp in psps if psp in kept)
        if not psps:
            raise NoSavedMethod
    return psps


def _kept(context: Context, call: "Call[CreatePayment]") -> Mapping[str, str]:
    """What the client last let the app keep at each PSP: the names under which we have it."""
    app_id, client_id = call.caller.app_id, call.content.client_id
    return dict(saved_methods.list_newest(context.database, app_id, client_id))


def _recordable(
    context: Context,
    call: "Call[CreatePayment]",
    offer: Offer,
    psp: str,
    saved_method_id: str | None,
) -> Payment:
    request, now = call.content, context.now()
    return Payment(
        id=context.new_id("pay"),
        app_id=call.caller.app_id,
        client_id=request.client_id,
        money=_price(request, offer),
        status=PaymentStatus.PENDING,
        psp=psp,
        livemode=context.settings.livemode,
        version=1,
        created_at=now,
        updated_at=now,
        expires_at=now.replace(microsecond=0) + timedelta(hours=PAYABLE_HOURS),
        method=request.method,
        capture=request.capture,
        page=request.page,
        save_method=request.save_method,
        saved_method_id=saved_method_id,
        plan=request.plan,
        product=offer.product,
        description=request.description,
        metadata=request.metadata,
        return_url=request.return_url,
        cancel_url=request.cancel_url or request.return_url,
    )


def _price(request: "CreatePayment", offer: Offer) -> Money:
    """What is to be paid: by the plan, or as the app says."""
    if request.plan is None:
        assert request.amount is not None and request.currency is not None
        return Money(request.amount, request.currency)
    if offer.product is None:
        raise UnknownPlan
    if offer.price is None:
        raise PlanNotPriced
    return offer.price


def _check_origin(url: str | None, allowed: tuple[str, ...]) -> None:
    if url is None:
        return
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}" not in allowed:
        raise ReturnUrlNotAllowed


def _customer(request: "CreatePayment") -> Customer:
    return Customer(**request.customer.model_dump()) if request.customer else Customer()
