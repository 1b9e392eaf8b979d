"""What tests read in the outcomes of any PSP's adapter."""

from tollgate.domain.order import Order
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import PaymentStatus
from tollgate.psp.protocol import Psp


def facts(outcome: Outcome) -> tuple[object, ...]:
    """By which a payment is told to be the one that was asked for."""
    return outcome.status, outcome.reference, outcome.money, outcome.livemode


def opened(psp: Psp, order: Order) -> str:
    """The reference of a payment that waits for its client."""
    outcome = psp.start(order)
    assert outcome.status is PaymentStatus.REQUIRES_ACTION
    assert outcome.psp_reference is not None
    return outcome.psp_reference
