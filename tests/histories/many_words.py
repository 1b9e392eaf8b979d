"""A PSP that says something else of each payment."""

from tests.scripted_psp import ScriptedPsp
from tollgate.domain.order import Order
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import PaymentStatus


class ManyWords(ScriptedPsp):
    """Says of each payment what the history lets it say."""

    def __init__(self) -> None:
        super().__init__()
        self.words: dict[str, PaymentStatus] = {}

    def _outcome(self, order: Order, status: PaymentStatus) -> Outcome:
        return super()._outcome(
            order, self.words.get(order.payment_id, PaymentStatus.REQUIRES_ACTION)
        )
