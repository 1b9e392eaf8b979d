"""The reference by which Jenga and we name a payment.

Jenga takes a reference of letters and digits, eight at least, and takes each once only, even where
the payment failed. So ours is made of the payment's id alone: asked again, it is the same, and
Jenga refuses it instead of charging twice. Its first letter tells the way the payment went, for
each way has a query of its own. A longest length is not documented: with our ids it has 36.
Sources: Jenga PGW checkout reference; M-Pesa STK push (wallet based settlement); error responses.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

SHORTEST = 8
_FILLING = "Z"
"""Ids have no capitals, so what fills up a short one can be told from it."""
_OF_REQUEST = "R"
_FORM = re.compile(rf"([CP])pay([0-9a-z]{{1,64}}){_FILLING}{{0,{SHORTEST}}}{_OF_REQUEST}?")


class Way(StrEnum):
    """How the client pays: on Jenga's hosted page, or by a prompt pushed to a phone."""

    CHECKOUT = "C"
    PUSH = "P"


@dataclass(frozen=True)
class OrderReference:
    """`Cpay0199c1…` for a hosted checkout of `pay_0199c1…`, `Ppay0199c1…` for a push."""

    way: Way
    payment_id: str

    @property
    def text(self) -> str:
        """As Jenga knows the order."""
        return f"{self.way}{self.payment_id.replace('_', '', 1)}".ljust(SHORTEST, _FILLING)

    @property
    def of_request(self) -> str:
        """The second reference that a push wants, of the request as opposed to the order: another
        one, in case Jenga holds both against the same list."""
        return self.text + _OF_REQUEST


def read_reference(said: object) -> OrderReference | None:
    """Whom a reference of Jenga's is about, the order's or the request's; None for none of ours."""
    found = _FORM.fullmatch(said) if isinstance(said, str) else None
    return OrderReference(Way(found[1]), f"pay_{found[2]}") if found else None
