"""What happens at Pesapal with no request of ours: clients, and people in its dashboard.

POST /_standin/payments/{id}/pay      {"method"?}   the client pays: mpesa, airtel or card
POST /_standin/payments/{id}/decline  {"method"?}   the client tries to, in vain
POST /_standin/payments/{id}/refund   {"amount"?}   somebody approves a refund, or makes one; in
                                                    minor units
POST /_standin/payments/{id}/expire                 409: no order ends by itself
POST /_standin/payments/{id}/say      {"state"?}    the API calls it so from now on; {} ends that
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import Route

from local.pesapal.errors import ApiError, Json
from local.pesapal.methods import METHODS
from local.pesapal.orders import Orders
from local.pesapal.overview import payment_of
from local.pesapal.refunds import Refunds
from local.pesapal.store import Order
from local.standin.happenings import Happenings, Refusal


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Paid(_Asked):
    method: Literal["mpesa", "airtel", "card"] = "card"


class _Refunded(_Asked):
    amount: Annotated[int, Field(gt=0)] | None = None


class _Said(_Asked):
    state: str = ""


class People:
    """Everything that can happen to an order; each is answered with it, as in the ledger."""

    def __init__(self, orders: Orders, refunds: Refunds) -> None:
        self._orders = orders
        self._refunds = refunds

    def routes(self, happenings: Happenings) -> list[Route]:
        verbs = {
            "pay": self._pay,
            "decline": self._decline,
            "refund": self._refund,
            "expire": self._expire,
            "say": self._say,
        }
        return [happenings.route(f"payments/{{id}}/{verb}", run) for verb, run in verbs.items()]

    def _pay(self, tracking_id: str, body: bytes) -> Json:
        method = METHODS[_Paid.model_validate_json(body).method]
        return payment_of(self._orders.pay(self._find(tracking_id).id, method))

    def _decline(self, tracking_id: str, body: bytes) -> Json:
        method = METHODS[_Paid.model_validate_json(body).method]
        return payment_of(self._orders.fail(self._find(tracking_id).id, method))

    def _refund(self, tracking_id: str, body: bytes) -> Json:
        asked = _Refunded.model_validate_json(body)
        return payment_of(self._refunds.give_back(self._find(tracking_id), asked.amount))

    def _expire(self, tracking_id: str, _body: bytes) -> Json:
        self._find(tracking_id)
        raise Refusal(409, "an order at Pesapal never ends by itself")

    def _say(self, tracking_id: str, body: bytes) -> Json:
        order = self._find(tracking_id)
        order.state = _Said.model_validate_json(body).state
        return payment_of(order)

    def _find(self, tracking_id: str) -> Order:
        try:
            return self._orders.get(tracking_id)
        except ApiError as error:
            raise Refusal(404, str(error)) from None
