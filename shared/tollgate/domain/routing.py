"""Which PSPs may take a new payment, in the app's order."""

from collections.abc import Iterable
from dataclasses import dataclass

from tollgate.domain.payment import Method


@dataclass(frozen=True)
class PspRoute:
    """For payments in this currency by this method (None: any of them): these PSPs, in order."""

    psps: tuple[str, ...]
    currency: str | None = None
    method: Method | None = None

    def fits(self, currency: str, method: Method | None) -> bool:
        """Whether it is about such a payment."""
        return self.currency in (None, currency) and self.method in (None, method)


def psps_in_order(
    routes: Iterable[PspRoute], default_psp: str, currency: str, method: Method | None
) -> tuple[str, ...]:
    """The PSPs of the closest route: one that names the method comes before one that names the
    currency; both before all. The app's default where none fits."""
    fitting = [route for route in routes if route.fits(currency, method)]
    if not fitting:
        return (default_psp,)
    closest = max(fitting, key=lambda route: (route.method is not None, route.currency is not None))
    return closest.psps
