"""What Pesapal answers: JSON whose own `status` and `error` say whether it went well.

Source: developer.pesapal.com, API 3.0 (error object). A refusal comes with HTTP 200; the body's
status is a text in most answers and a number in some. Where all went well, `error` may be null, or
an object without a code.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tollgate.psp.answers import mapping

if TYPE_CHECKING:
    import httpx

_HARMLESS = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
NAMELESS = "error"


@dataclass(frozen=True)
class Answer:
    """One answer. `content` is its JSON: an object, but for the list of IPN addresses."""

    http_status: int
    content: Any

    @property
    def body(self) -> Mapping[str, Any]:
        """The answer's fields. Raises TypeError where it is no object."""
        return mapping(self.content)

    @property
    def status(self) -> str:
        """What the body says of itself: "200" where it went well; "" where it says nothing."""
        said = self.content.get("status") if isinstance(self.content, Mapping) else None
        return str(said) if isinstance(said, str | int) else ""

    @property
    def error_code(self) -> str | None:
        """The code of what went wrong, NAMELESS where that is no code; None where nothing did."""
        error = self.content.get("error") if isinstance(self.content, Mapping) else None
        said = error.get("code") if isinstance(error, Mapping) else error
        if not said:
            return None
        return said if isinstance(said, str) and _HARMLESS.fullmatch(said) else NAMELESS

    @property
    def went_well(self) -> bool:
        return self.http_status < 300 and self.status == "200" and self.error_code is None

    @property
    def is_refusal(self) -> bool:
        """Whether Pesapal says that it did not do what it was asked: a proxy's error is none."""
        return self.http_status < 500 and (self.status == "500" or self.error_code is not None)

    @property
    def refuses_token(self) -> bool:
        return self.http_status == 401 or self.status == "401"


def read_answer(response: "httpx.Response") -> Answer:
    """The answer in a response; its numbers with a point are Decimals.

    What is no JSON has no content: no success, and no refusal either.
    """
    try:
        content = json.loads(response.content, parse_float=Decimal)
    except (ValueError, RecursionError):
        content = None
    return Answer(response.status_code, content)
