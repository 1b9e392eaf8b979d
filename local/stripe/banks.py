"""What happens at Stripe with no request of ours: banks, and people in the dashboard.

POST /_standin/charges/{id}/refund     {"amount"?}             somebody refunds by hand
POST /_standin/charges/{id}/dispute    {"amount"?, "inquiry"?} the client's bank takes it back
POST /_standin/refunds/{id}/succeed    a pending refund is done
POST /_standin/refunds/{id}/fail       a refund fails, also one that was done
POST /_standin/disputes/{id}/win       and /lose
"""

from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import Route

from local.standin.happenings import Happening, Happenings
from local.stripe.disputes import Disputes
from local.stripe.errors import Json
from local.stripe.events import Cause
from local.stripe.refunds import Refunds

Amount = Annotated[int, Field(gt=0)] | None


class _ByHand(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Amount = None


class _Disputed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Amount = None
    inquiry: bool = False


class Nothing(BaseModel):
    """For what takes no word: {}."""

    model_config = ConfigDict(extra="forbid")


class Banks:
    """Refunds and disputes that begin or end without a request of ours."""

    def __init__(self, refunds: Refunds, disputes: Disputes) -> None:
        self._refunds = refunds
        self._disputes = disputes

    def routes(self, happenings: Happenings) -> list[Route]:
        return [
            happenings.route("charges/{id}/refund", self.refund),
            happenings.route("charges/{id}/dispute", self.dispute),
            happenings.route("refunds/{id}/succeed", _plain(self._refunds.succeed)),
            happenings.route("refunds/{id}/fail", _plain(self._refunds.fail)),
            happenings.route("disputes/{id}/win", _plain(self._disputes.win)),
            happenings.route("disputes/{id}/lose", _plain(self._disputes.lose)),
        ]

    def refund(self, charge_id: str, body: bytes) -> Json:
        """Raises ApiError, ValidationError."""
        asked = _ByHand.model_validate_json(body)
        params = {"charge": charge_id} | asked.model_dump(exclude_none=True)
        self._refunds.check_create(params)
        return self._refunds.create(params, Cause())

    def dispute(self, charge_id: str, body: bytes) -> Json:
        """Raises ApiError, ValidationError."""
        asked = _Disputed.model_validate_json(body)
        return self._disputes.open(charge_id, asked.amount, inquiry=asked.inquiry)


def _plain(change: Callable[[str], Json]) -> Happening:
    def happening(subject_id: str, body: bytes) -> Json:
        Nothing.model_validate_json(body)
        return change(subject_id)

    return happening
