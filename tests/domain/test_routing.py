"""The PSPs that may take a payment: those of the route that says most of it, in its order."""

import pytest

from tollgate.domain.payment import Method
from tollgate.domain.routing import PspRoute, psps_in_order

FOR_ALL = PspRoute(("any-1", "any-2"))
FOR_KES = PspRoute(("kes-1", "kes-2"), currency="KES")
FOR_CARD = PspRoute(("card",), method=Method.CARD)
FOR_KES_BY_CARD = PspRoute(("kes-card",), currency="KES", method=Method.CARD)
ROUTES = (FOR_ALL, FOR_KES, FOR_CARD, FOR_KES_BY_CARD)


@pytest.mark.parametrize(
    ("currency", "method", "psps"),
    [
        ("KES", Method.CARD, FOR_KES_BY_CARD.psps),
        ("UGX", Method.CARD, FOR_CARD.psps),
        ("KES", Method.MPESA, FOR_KES.psps),
        ("KES", None, FOR_KES.psps),
        ("UGX", Method.MPESA, FOR_ALL.psps),
        ("UGX", None, FOR_ALL.psps),
    ],
)
@pytest.mark.parametrize("routes", [ROUTES, ROUTES[::-1]], ids=["widest first", "closest first"])
def test_the_closest_route_is_taken_wherever_it_stands(
    routes: tuple[PspRoute, ...], currency: str, method: Method | None, psps: tuple[str, ...]
) -> None:
    assert psps_in_order(routes, "default", currency, method) == psps


def test_the_method_says_more_than_the_currency() -> None:
    assert psps_in_order((FOR_KES, FOR_CARD), "default", "KES", Method.CARD) == ("card",)


def test_of_two_alike_the_first_is_taken() -> None:
    twin = PspRoute(("twin",), currency="KES")
    assert psps_in_order((FOR_KES, twin), "default", "KES", None) == FOR_KES.psps


@pytest.mark.parametrize("routes", [(), (FOR_KES,), (FOR_CARD,), (FOR_KES_BY_CARD,)])
def test_what_no_route_is_about_is_the_defaults(routes: tuple[PspRoute, ...]) -> None:
    assert psps_in_order(routes, "default", "UGX", None) == ("default",)
