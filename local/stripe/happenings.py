"""What happens at Stripe with no request of ours: banks, and people in the dashboard.

POST /_standin/charges/{id}/refund     {"amount"?}             somebody refunds by hand
POST /_standin/charges/{id}/dispute    {"amount"?, "inquiry"?} the client's bank takes it back
POST /_standin/refunds/{id}/succeed    a pending refund is done
POST /_standin/refunds/{id}/fail       a refund fails, also one that was done
POST /_standin/disputes/{id}/win       and /lose
"""

from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from local.stripe.disputes import Disputes
from local.stripe.errors import ApiError, Json
from local.stripe.events import Cause
from local.stripe.pages import is_form
from local.stripe.refunds import Refunds

Amount = Annotated[int, Field(gt=0)] | None


class _ByHand(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Amount = None


class _Disputed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Amount = None
    inquiry: bool = False


class _Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


Happening = Callable[[str, bytes], Json]


class Happenings:
    """The routes. `tick` brings the state up to the clock, `finish` saves it."""

    def __init__(
        self,
        refunds: Refunds,
        disputes: Disputes,
        tick: Callable[[], None],
        finish: Callable[[], None],
    ) -> None:
        self._refunds = refunds
        self._disputes = disputes
        self._tick = tick
        self._finish = finish

    def routes(self) -> list[Route]:
        return [
            self._route("charges/{id}/refund", self._refund),
            self._route("charges/{id}/dispute", self._dispute),
            self._route("refunds/{id}/succeed", _plain(self._refunds.succeed)),
            self._route("refunds/{id}/fail", _plain(self._refunds.fail)),
            self._route("disputes/{id}/win", _plain(self._disputes.win)),
            self._route("disputes/{id}/lose", _plain(self._disputes.lose)),
        ]

    def _route(self, path: str, happening: Happening) -> Route:
        async def serve(request: Request) -> Response:
            """By JSON, or by a button of the overview, which sends an empty form."""
            self._tick()
            body = b"" if is_form(request) else await request.body()
            try:
                changed = happening(request.path_params["id"], body or b"{}")
            except ApiError as error:
                return JSONResponse({"error": str(error)}, error.status)
            except ValidationError as error:
                return JSONResponse({"error": str(error)}, 400)
            self._finish()
            return RedirectResponse("/", 303) if is_form(request) else JSONResponse(changed)

        return Route(f"/_standin/{path}", serve, methods=["POST"])

    def _refund(self, charge_id: str, body: bytes) -> Json:
        asked = _ByHand.model_validate_json(body)
        params = {"charge": charge_id} | asked.model_dump(exclude_none=True)
        self._refunds.check_create(params)
        return self._refunds.create(params, Cause())

    def _dispute(self, charge_id: str, body: bytes) -> Json:
        asked = _Disputed.model_validate_json(body)
        return self._disputes.open(charge_id, asked.amount, inquiry=asked.inquiry)


def _plain(change: Callable[[str], Json]) -> Happening:
    def happening(subject_id: str, body: bytes) -> Json:
        _Nothing.model_validate_json(body)
        return change(subject_id)

    return happening
