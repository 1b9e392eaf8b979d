"""Field types that several models share."""

import re
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from tollgate.domain.ids import CLIENT_ID_PATTERN, PLAN_CODE_PATTERN
from tollgate.domain.instants import is_within_reach, read_rfc3339, rfc3339
from tollgate.domain.money import EXPONENTS, MAX_AMOUNT_MINOR


class RequestModel(BaseModel):
    """A body that is sent to us: strict types, and no field that we don't know."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AnswerModel(BaseModel):
    """A body that we send. `of` makes it of what the operation returned."""


def _known_currency(code: str) -> str:
    if code not in EXPONENTS:
        raise ValueError("is not a currency in circulation (ISO 4217, upper case)")
    return code


# controls (NUL, CR, LF among them), Unicode's own line breaks, what turns the direction of a line
# around, and lone surrogates
_NOT_OF_A_LINE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def _one_line(text: str) -> str:
    if _NOT_OF_A_LINE.search(text):
        raise ValueError("must not hold control characters or line breaks")
    return text


def _has_an_origin(url: str) -> str:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    if not host:
        raise ValueError("is not an absolute http or https URL")
    return url


def _from_rfc3339(value: object) -> object:
    """Read here, because pydantic takes other forms too, Unix seconds in a text among them."""
    if not isinstance(value, str):
        return value
    instant = read_rfc3339(value)
    if instant is None:
        raise ValueError("is not an instant such as 2027-01-31T09:00:00Z (RFC 3339)")
    return instant


def _within_reach(instant: datetime) -> datetime:
    if not is_within_reach(instant):
        raise ValueError("is too far away")
    return instant.astimezone(UTC)


ClientId = Annotated[str, StringConstraints(pattern=CLIENT_ID_PATTERN)]
PlanCode = Annotated[str, StringConstraints(pattern=PLAN_CODE_PATTERN)]
Amount = Annotated[int, Field(ge=1, le=MAX_AMOUNT_MINOR)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_known_currency)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_one_line)]
Url = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[!-~]+$", max_length=2048),
    AfterValidator(_has_an_origin),
]
Instant = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
SentInstant = Annotated[
    AwareDatetime,
    Field(description="RFC 3339, with an offset or Z"),
    BeforeValidator(_from_rfc3339),
    AfterValidator(_within_reach),
]
CallsPerMinute = Annotated[int, Field(ge=1, le=1_000_000)]
