"""An app: what an operator sends to set one up, and what it reads back."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from tollgate.domain.app import CALLS_PER_MINUTE, ORIGIN_PATTERN, App
from tollgate.domain.page import Listing
from tollgate.domain.payment import Method
from tollgate.schemas.fields import (
    AnswerModel,
    CallsPerMinute,
    Currency,
    Instant,
    Line,
    RequestModel,
)

Origins = Annotated[
    list[Annotated[str, StringConstraints(pattern=ORIGIN_PATTERN, max_length=255)]],
    Field(max_length=50),
]
PspName = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,32}$")]


class RouteFields(RequestModel):
    """For payments in this currency (else any) by this method (else any): these PSPs, in order.

    The next one serves where the first can't take a payment, or is down."""

    currency: Currency | None = None
    method: Method | None = None
    psps: Annotated[list[PspName], Field(min_length=1, max_length=8)]


Routing = Annotated[list[RouteFields], Field(max_length=50)]


class CreateApp(RequestModel):
    """A new tenant. `return_origins`: where a payment may send its client back to, as in
    https://shop.example, without a path or a last slash."""

    name: Annotated[Line, Field(max_length=200)]
    default_currency: Currency
    default_psp: PspName = "stripe"
    routing: Routing = Field(default_factory=list)
    return_origins: Origins = Field(default_factory=list)
    calls_per_minute: CallsPerMinute = CALLS_PER_MINUTE


class UpdateApp(RequestModel):
    """The fields to change; the others stay."""

    name: Annotated[Line, Field(max_length=200)] | None = None
    default_currency: Currency | None = None
    default_psp: PspName | None = None
    routing: Routing | None = None
    return_origins: Origins | None = None
    calls_per_minute: CallsPerMinute | None = None


class RouteView(AnswerModel):
    """Which PSPs take which payments."""

    currency: str | None
    method: Method | None
    psps: list[str]


class AppView(AnswerModel):
    """An app as operators see it. The keys of a deleted one are refused."""

    id: str
    object: Literal["app"] = "app"
    name: str
    default_currency: str
    default_psp: str
    routing: list[RouteView]
    return_origins: list[str]
    calls_per_minute: int
    created_at: Instant
    deleted_at: Instant | None

    @classmethod
    def of(cls, app: App) -> Self:
        """The view of an app."""
        routing = [RouteView(**{**vars(r), "psps": list(r.psps)}) for r in app.routing]
        origins = list(app.return_origins)
        return cls(**{**vars(app), "return_origins": origins, "routing": routing})


class AppList(AnswerModel):
    """A page of apps."""

    object: Literal["list"] = "list"
    data: list[AppView]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Listing[App]) -> Self:
        """The view of a page."""
        return cls(data=[AppView.of(app) for app in found.items], next_cursor=found.next_cursor)
