"""What a merchant may send, field by field: anything else is refused.

Sources: Jenga's guides on M-Pesa STK push (wallet based settlement) and the checkout reference.
"""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from local.jenga.errors import NOT_READABLE, ApiError
from local.jenga.orders import Wanted

Text = Annotated[str, Field(max_length=255)]
Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{8,64}$")]
Msisdn = Annotated[str, Field(pattern=r"^(254|0)[17][0-9]{8}$")]
Url = Annotated[str, Field(pattern=r"^https?://\S+$", max_length=2048)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Shillings = Annotated[int, Field(gt=0, le=250_000)]
Amount = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?$")]


class _Strict(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)


Model = TypeVar("Model", bound=_Strict)


class Credentials(_Strict):
    """Who asks for a token."""

    merchant_code: Text
    consumer_secret: Text


class PushOrder(_Strict):
    order_reference: Reference
    order_amount: Shillings
    order_currency: Literal["KES"]
    source: Literal["APICHECKOUT"]
    country_code: Country
    description: Annotated[str, Field(max_length=200)]


class PushCustomer(_Strict):
    name: Annotated[str, Field(min_length=1, max_length=255)]
    email: Text
    phone_number: Msisdn
    identity_number: Text
    first_address: Text = ""
    second_address: Text = ""


class PushDetails(_Strict):
    msisdn: Msisdn
    payment_amount: Shillings


class PushPayment(_Strict):
    payment_reference: Reference
    payment_currency: Literal["KES"]
    channel: Literal["MOBILE"]
    service: Literal["MPESA"]
    provider: Literal["JENGA"]
    callback_url: Url
    details: PushDetails


class Push(_Strict):
    """A prompt to pay."""

    order: PushOrder
    customer: PushCustomer
    payment: PushPayment


class Checkout(_Strict):
    """The form of the hosted checkout. Which fields must not be empty is documented of those of
    the order alone."""

    token: Annotated[str, Field(min_length=1)]
    merchant_code: Text
    currency: Literal["KES", "USD"]
    order_amount: Amount
    order_reference: Reference
    product_type: Annotated[str, Field(min_length=1, max_length=255)]
    product_description: Annotated[str, Field(min_length=1, max_length=200)]
    payment_time_limit: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}mins$")]
    customer_first_name: Text
    customer_last_name: Text
    customer_email: Text
    customer_phone: Text
    customer_postal_code_zip: Text
    customer_address: Text
    callback_url: Url
    country_code: Country
    extra_data: Text = ""
    secondary_reference: Text = ""
    signature: str = ""


def read_json(model: type[Model], body: bytes) -> Model:
    """Raises ApiError."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _not_readable(error) from None


def read_push(body: bytes) -> tuple[Wanted, Sequence[str]]:
    """What is wanted, and the fields that its signature covers: the amount's as the very text that
    stands in the body. Raises ApiError."""
    push = read_json(Push, body)
    if push.order.order_amount != push.payment.details.payment_amount:
        raise ApiError(400, NOT_READABLE, "orderAmount and paymentAmount differ")
    as_text = json.loads(body, parse_int=str, parse_float=str)
    amount = as_text["payment"]["details"]["paymentAmount"]
    reference, payment = push.order.order_reference, push.payment
    wanted = Wanted(
        reference=reference,
        way="push",
        amount=push.order.order_amount * 100,
        currency=push.order.order_currency,
        description=push.order.description,
        callback_url=payment.callback_url,
        customer=push.customer.name,
        phone=payment.details.msisdn,
        payment_reference=payment.payment_reference,
    )
    return wanted, (reference, payment.payment_currency, payment.details.msisdn, amount)


def read_checkout(form: dict[str, str]) -> Checkout:
    """Raises ApiError."""
    try:
        return Checkout.model_validate(form)
    except ValidationError as error:
        raise _not_readable(error) from None


def wanted_checkout(form: Checkout) -> Wanted:
    """The order that a form opens."""
    whole, _, cents = form.order_amount.partition(".")
    minutes = re.sub(r"\D", "", form.payment_time_limit)
    return Wanted(
        reference=form.order_reference,
        way="checkout",
        amount=int(whole) * 100 + int(cents.ljust(2, "0")),
        currency=form.currency,
        description=form.product_description,
        callback_url=form.callback_url,
        customer=f"{form.customer_first_name} {form.customer_last_name}",
        phone=form.customer_phone,
        lives_seconds=int(minutes) * 60,
    )


def _not_readable(error: ValidationError) -> ApiError:
    """Names the fields and what is wrong with each, never a value."""
    wrong = ((".".join(map(str, one["loc"])), one["msg"]) for one in error.errors())
    told = "; ".join(f"{place}: {problem}" for place, problem in wrong)
    return ApiError(400, NOT_READABLE, told)
