"""Which PSP takes a new payment: the first of the app's that can, and that is not down."""

from collections.abc import Callable
from typing import TypeVar

from tollgate.domain.capabilities import refusal_of_all
from tollgate.domain.errors import Misconfigured, TollgateError, Unprocessable, UnsupportedPsp
from tollgate.logs import log
from tollgate.operations.context import Context
from tollgate.storage import breakers

Prepared = TypeVar("Prepared")


def first_able(
    context: Context, psps: tuple[str, ...], prepare: Callable[[str], Prepared]
) -> Prepared:
    """What `prepare` makes for the first PSP that it raises no Unprocessable for.

    One that is down is passed over while another can do it. With all of them down the first is
    tried: it may be up again. Raises one error that tells every PSP's reason.
    """
    refusals: list[TollgateError] = []
    passed_over: list[Prepared] = []
    for psp in psps:
        try:
            prepared = prepare(psp)
        except Unprocessable as refusal:
            refusals.append(refusal)
            continue
        except Misconfigured as error:
            log("psp.misconfigured", psp=psp, detail=error.detail)
            refusals.append(UnsupportedPsp(f"{psp} is not set up in this deployment."))
            continue
        if len(psps) == 1 or not breakers.is_down(context.cache, psp):
            return prepared
        passed_over.append(prepared)
    if passed_over:
        return passed_over[0]
    raise refusal_of_all(refusals)
