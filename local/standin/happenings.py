"""What happens at a PSP with no request of ours: banks, and people in its dashboard."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from local.standin.pages import is_form

Happening = Callable[[str, bytes], dict[str, Any]]
"""Given the id in the address and a JSON body ({} for none), changes something and returns it."""


class Refusal(Exception):
    """Something that can't be done as things stand; the message says why. An API's own errors
    may derive from it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Happenings:
    """Routes below /_standin. `tick` brings the state up to the clock, `finish` saves it;
    `overview_path` is where a button leads back to."""

    def __init__(
        self, tick: Callable[[], None], finish: Callable[[], None], overview_path: str
    ) -> None:
        self._tick = tick
        self._finish = finish
        self._overview_path = overview_path

    def route(self, path: str, happening: Happening) -> Route:
        """POST /_standin/<path>, where the path has an {id}, such as charges/{id}/refund.

        400 for a body the happening can't validate, a Refusal's status for what it refuses.
        """

        async def serve(request: Request) -> Response:
            """By JSON, or by a button of the overview, which sends an empty form."""
            self._tick()
            body = await request.body()
            try:
                changed = happening(request.path_params["id"], body or b"{}")
            except Refusal as refusal:
                return JSONResponse({"error": str(refusal)}, refusal.status)
            except ValidationError as error:
                return JSONResponse({"error": str(error)}, 400)
            self._finish()
            if is_form(request):
                return RedirectResponse(self._overview_path, 303)
            return JSONResponse(changed)

        return Route(f"/_standin/{path}", serve, methods=["POST"])
