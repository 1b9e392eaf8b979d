"""The address of the clock: what time it is, and a way through time."""

import secrets

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from starlette.responses import JSONResponse, Response

from local.clock import Clock
from local.host.problems import Refusal
from local.travel import Target, TravelEnded, TravelError, Traveller

_BODY = (
    'The body must be {"advance_seconds": number} or {"to": "2028-02-29T09:00:00Z"}, '
    'and may have "every_seconds": number.'
)


class _Way(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    advance_seconds: float | None = None
    to: AwareDatetime | None = None
    every_seconds: float | None = None

    @property
    def target(self) -> Target | None:
        """None for a way with two ends, or with none."""
        if self.to is not None and self.advance_seconds is not None:
            return None
        return self.advance_seconds if self.to is None else self.to


class ClockApi:
    """GET shows the clock; POST moves it, and answers when all has happened that became due."""

    def __init__(self, clock: Clock, traveller: Traveller, admin_token: str) -> None:
        self._clock = clock
        self._traveller = traveller
        self._admin_token = admin_token

    async def answer(self, method: str, authorization: str, body: bytes) -> Response:
        """Raises Refusal."""
        scheme, _, token = authorization.partition(" ")
        is_admin = secrets.compare_digest(token.strip().encode(), self._admin_token.encode())
        if scheme.lower() != "bearer" or not is_admin:
            raise Refusal(
                401,
                "unauthenticated",
                "Send the admin token as a bearer token.",
                {"WWW-Authenticate": "Bearer"},
            )
        if method not in ("GET", "POST"):
            allow = "GET, POST"
            raise Refusal(405, "method_not_allowed", f"The clock takes {allow}.", {"Allow": allow})
        happened = await self._travel(body) if method == "POST" else {}
        now = self._clock.now().isoformat().replace("+00:00", "Z")
        shown = {"now": now, "offset_seconds": self._clock.offset_seconds}
        return JSONResponse(shown | happened)

    async def _travel(self, body: bytes) -> dict[str, object]:
        target, every_seconds = _asked(body)
        try:
            journey = await self._traveller.travel(target, every_seconds)
        except TravelError as error:
            raise Refusal(422, "invalid_advance", str(error)) from None
        except TravelEnded:
            raise Refusal(503, "stopping", "The function host is being stopped.") from None
        return {
            "from": journey.start.isoformat().replace("+00:00", "Z"),
            "to": journey.end.isoformat().replace("+00:00", "Z"),
            "steps": journey.steps,
            "timers_fired": journey.timers_fired,
            "webhooks_delivered": journey.webhooks_delivered,
        }


def _asked(body: bytes) -> tuple[Target, float | None]:
    try:
        way = _Way.model_validate_json(body)
    except ValidationError:
        raise Refusal(400, "invalid_request", _BODY) from None
    if way.target is None:
        raise Refusal(400, "invalid_request", _BODY)
    return way.target, way.every_seconds
