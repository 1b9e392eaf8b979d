"""The paid-check: has this client paid?

From dates, at the instant of the question. Redis may say yes for us, never no: before a client is
turned away PostgreSQL is read, and the PSP too when a charge is under way.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from tollgate.crypto.entitlements import sign
from tollgate.domain.entitlement import entitlement_claims
from tollgate.domain.errors import FieldError, InvalidFields, NotFound
from tollgate.domain.ids import is_client_id, is_plan_code
from tollgate.domain.instants import rfc3339
from tollgate.domain.principal import Role
from tollgate.domain.subscription import Access, Dates, Reason, best_access
from tollgate.operations.context import Call, Context
from tollgate.settings import needed
from tollgate.storage import access_cache, payments, subscriptions
from tollgate.storage.subscriptions import UnderWay


def check_access(context: Context, call: Call[None]) -> dict[str, Any]:
    """Whether this client has paid, and why.

    Without ?product the best of the client's subscriptions answers.
    """
    app_id, client_id, product = call.caller.app_id, call.target, call.query.get("product")
    if not is_client_id(client_id):
        raise InvalidFields(errors=(FieldError("client_id", "This can't be a client's id."),))
    if product is not None and not is_plan_code(product):
        raise InvalidFields(errors=(FieldError("product", "This can't be a product's code."),))
    if call.caller.role is Role.CLIENT and client_id != call.caller.client_id:
        raise NotFound
    now = context.now()

    cached = access_cache.dates_of(call.ahead)
    answer = best_access(_of_product(cached or (), product), now)
    if answer.active:
        return _view(context, call, answer, now, source="cache")

    answer = _read_access(context, app_id, client_id, product, now)
    if answer.active:
        return _view(context, call, answer, now, source="database")

    under_way = subscriptions.find_under_way(context.database, app_id, client_id, product, now)
    if under_way is None:
        return _refusal(context, call, answer, now, source="database")
    source = _ask(context, under_way)

    # read again: whoever had news of the payment, this call or another, it counts
    answer = _read_access(context, app_id, client_id, product, now)
    under_way = subscriptions.find_under_way(context.database, app_id, client_id, product, now)
    if answer.active:
        return _view(context, call, answer, now, source=source)
    if under_way is None:
        return _refusal(context, call, answer, now, source=source)
    answer = replace(answer, reason=Reason.PAYMENT_PENDING)
    return _refusal(context, call, answer, now, source=source, pay_url=under_way.pay_url)


def _refusal(
    context: Context,
    call: Call[None],
    answer: Access,
    now: datetime,
    *,
    source: str,
    pay_url: str | None = None,
) -> dict[str, Any]:
    """A no, with where the client can pay: the page it has left, or that of what is due."""
    if pay_url is None and answer.dates is not None:
        from tollgate.operations.pay_links import find_pay_url

        pay_url = find_pay_url(context, answer.dates.subscription_id)
    return _view(context, call, answer, now, source=source, pay_url=pay_url)


def _ask(context: Context, under_way: UnderWay) -> str:
    """Asks the PSP about a payment under way; who the answer's source then is."""
    if under_way.to_ask is None:
        return "database"
    # imported here: most answers are yes, and ask nobody
    from tollgate.operations.settlement import ask_psp

    payment = payments.get_payment(context.database, under_way.to_ask)
    return "database" if ask_psp(context, payment) is payment else "psp"


def _read_access(
    context: Context, app_id: str, client_id: str, product: str | None, now: datetime
) -> Access:
    known = subscriptions.read_access(context.database, app_id, client_id)
    if known.dates:
        access_cache.put_dates(context.cache, app_id, client_id, known)
    return best_access(_of_product(known.dates, product), now)


def _of_product(dates: tuple[Dates, ...], product: str | None) -> tuple[Dates, ...]:
    return tuple(item for item in dates if product is None or item.product == product)


def _entitlement(context: Context, call: Call[None], answer: Access, now: datetime) -> str:
    """The yes, signed, for whoever can't ask us each time. There is no signed no: it could be
    shown to the client who has paid a moment later."""
    issuer, keyring = context.settings.public_url, context.settings.entitlement_keys
    claims = entitlement_claims(call.caller.app_id, call.target, answer, now, issuer)
    return sign(needed(keyring, "ENTITLEMENT_KEYS"), claims)


def _view(
    context: Context,
    call: Call[None],
    answer: Access,
    now: datetime,
    *,
    source: str,
    pay_url: str | None = None,
) -> dict[str, Any]:
    """The answer as schemas/subscriptions.py: CheckView tells it."""
    dates = answer.dates
    return {
        "client_id": call.target,
        "product": dates.product if dates else call.query.get("product"),
        "active": answer.active,
        "reason": answer.reason,
        "status": answer.status,
        "plan": dates.plan_at(now) if dates else None,
        "subscription_id": dates.subscription_id if dates else None,
        "paid_through": _written(dates.paid_through) if dates else None,
        "trial_end": _written(dates.trial_end) if dates else None,
        "grace_until": _written(dates.grace_until) if dates else None,
        "paused_at": _written(dates.paused_at) if dates else None,
        "cancel_at": _written(dates.cancel_at) if dates else None,
        "as_of": rfc3339(now),
        "source": source,
        "pay_url": pay_url,
        "entitlement": _entitlement(context, call, answer, now) if answer.active else None,
    }


def _written(instant: datetime | None) -> str | None:
    return rfc3339(instant) if instant else None
