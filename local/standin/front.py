"""All stand-ins on one port, behind one page that names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from local.standin.pages import FRESH, document, link


@dataclass(frozen=True)
class Payments:
    """How many payments can still be paid, and how many were."""

    open: int
    paid: int


class StandIn(Protocol):
    """A PSP's stand-in, as the front page and whoever runs it see it."""

    @property
    def psp(self) -> str:
        """The PSP's name as people write it."""

    @property
    def app(self) -> Starlette: ...

    @property
    def overview_path(self) -> str:
        """Of its overview, from the server's root."""

    def payments(self) -> Payments: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def front_page(stand_ins: Mapping[str, StandIn], at_root: str = "stripe") -> Starlette:
    """Serves each below /<its name>, `at_root` at the root, and at / the page of them all.

    A stand-in below /<name> has to be made with a base_url that ends so. `start` and `stop` are
    left to the caller.
    """

    async def show(_request: Request) -> Response:
        return HTMLResponse(_page(stand_ins), headers=FRESH)

    routes: list[BaseRoute] = [Route("/", show)]
    for name, stand_in in stand_ins.items():
        if name != at_root:
            routes += [_with_slash(name), Mount(f"/{name}", stand_in.app)]
    if at_root in stand_ins:
        routes.append(Mount("", stand_ins[at_root].app))  # the last: it takes what is left
    return Starlette(routes=routes)


def _with_slash(name: str) -> Route:
    async def serve(_request: Request) -> Response:
        return RedirectResponse(f"/{name}/")

    return Route(f"/{name}", serve)


def _page(stand_ins: Mapping[str, StandIn]) -> str:
    names = [stand_in.psp for stand_in in stand_ins.values()]
    cards = "".join(_card(stand_in) for stand_in in stand_ins.values())
    return document(_listed(names), "Stand-ins", f"<h1>Stand-ins</h1>{cards}")


def _card(stand_in: StandIn) -> str:
    payments = stand_in.payments()
    return (
        f'<section class="card"><h2>{link(stand_in.overview_path, stand_in.psp)}</h2>'
        f'<p class="soft">Payments: {payments.open} open, {payments.paid} paid</p></section>'
    )


def _listed(names: list[str]) -> str:
    """ "A, B and C"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
