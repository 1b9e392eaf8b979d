"""The field check: what a request may hold, and how long it may be (API 3.0)."""

import json
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
    model_validator,
)

from local.pesapal.errors import invalid

Text = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+(/\S*)?$", max_length=2048)]


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("a number, in major units")
    number = Decimal(value)
    if not number.is_finite() or number <= 0:
        raise ValueError("more than nothing")
    return number


Amount = Annotated[Any, AfterValidator(_number)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


Asked = TypeVar("Asked", bound=_Request)


class Keys(_Request):
    """POST /api/Auth/RequestToken."""

    consumer_key: str
    consumer_secret: str


class RegisterIpn(_Request):
    """POST /api/URLSetup/RegisterIPN."""

    url: Url
    ipn_notification_type: Literal["GET", "POST"]


class BillingAddress(_Request):
    """Who pays: the email address or the phone number is needed, an empty text is none."""

    email_address: str = ""
    phone_number: Annotated[str, StringConstraints(pattern=r"^(\+?[0-9]{7,15})?$")] = ""
    country_code: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = ""
    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""
    line_1: str = ""
    line_2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    zip_code: str = ""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not self.email_address and not self.phone_number:
            raise ValueError("email_address or phone_number is needed")
        return self


class SubmitOrder(_Request):
    """POST /api/Transactions/SubmitOrderRequest, but for subscriptions: none are modelled."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,50}$")]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    amount: Amount
    description: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    callback_url: Url
    cancellation_url: Url | Literal[""] = ""
    redirect_mode: Literal["", "TOP_WINDOW", "PARENT_WINDOW"] = ""
    notification_id: Text
    branch: str = ""
    billing_address: BillingAddress


class CancelOrder(_Request):
    """POST /api/Transactions/CancelOrder."""

    order_tracking_id: Text


class RequestRefund(_Request):
    """POST /api/Transactions/RefundRequest."""

    confirmation_code: Text
    amount: Amount
    username: Text
    remarks: Text


def read(kind: type[Asked], body: bytes) -> Asked:
    """The request that a JSON body is. Raises ApiError."""
    try:
        return kind.model_validate(json.loads(body, parse_float=Decimal))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise invalid(
            "; ".join(f"{_place(one['loc'])}: {one['msg']}" for one in problems)
        ) from None
    except ValueError:
        raise invalid("The body is no JSON.") from None


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "request"
