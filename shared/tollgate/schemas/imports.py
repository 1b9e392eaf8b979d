"""One row of a file of subscribers that an app brings with it, as texts."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from tollgate.domain.contact import read_email, read_name, read_phone
from tollgate.domain.payment import Method
from tollgate.domain.subscription import Language
from tollgate.schemas.fields import ClientId, Currency, Line, PlanCode, RequestModel, SentInstant


def _email(text: str) -> str:
    email = read_email(text)
    if email is None:
        raise ValueError("is no email address")
    return email


def _phone(text: str) -> str:
    phone = read_phone(text)
    if phone is None:
        raise ValueError("is no phone number such as +254712345678 or 0712345678")
    return phone


def _name(text: str) -> str:
    name = read_name(text)
    if name is None:
        raise ValueError("must be one line of 1 to 255 characters")
    return name


def _hour(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len("23")):
        raise ValueError("is no hour from 0 to 23")
    return int(text)


class SubscriberRow(RequestModel):
    """A client, its plan, and until when it had paid before its app came here.

    `anchor_at` is the day that periods are counted from, unless that is `paid_through`. Phones may
    be written as they are in Kenya.
    """

    client_id: ClientId
    plan: PlanCode
    paid_through: SentInstant | None = None
    trial_end: SentInstant | None = None
    anchor_at: SentInstant | None = None
    currency: Currency | None = None
    email: Annotated[str, AfterValidator(_email)] | None = None
    phone: Annotated[str, AfterValidator(_phone)] | None = None
    name: Annotated[str, AfterValidator(_name)] | None = None
    method: Annotated[Method, Field(strict=False)] | None = None
    hour: Annotated[int, Field(ge=0, le=23), BeforeValidator(_hour)] | None = None
    time_zone: Annotated[Line, Field(max_length=64)] | None = None
    language: Annotated[Language, Field(strict=False)] | None = None

    @property
    def customer(self) -> dict[str, str]:
        """Who it is: what was told of that."""
        told = {"email": self.email, "phone": self.phone, "name": self.name}
        return {name: text for name, text in told.items() if text is not None}
