"""What happens at PayPal with no request of ours: clients, banks, people in the dashboard.

POST /_standin/payments/{id}/pay         the client approves; a pending capture is completed
POST /_standin/payments/{id}/decline     the client approves with nothing behind it; a pending
                                         capture is denied
POST /_standin/payments/{id}/expire      the order lapses
POST /_standin/payments/{id}/refund      {"amount"?} somebody refunds by hand
POST /_standin/payments/{id}/reverse     a bank takes all of it back
POST /_standin/payments/{id}/dispute     {"amount"?} the client wants it back
POST /_standin/payments/{id}/vault       what it was paid with is kept now
POST /_standin/payments/{id}/say         {"state"?} the API says this of it
POST /_standin/disputes/{id}/resolve     {"outcome"?} by PayPal's code
POST /_standin/refunds/{id}/complete     and /fail
"""

from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import Route

from local.paypal.captures import Captures
from local.paypal.disputes import Disputes
from local.paypal.errors import Json, not_found
from local.paypal.orders import Orders
from local.paypal.refunds import Refunds
from local.paypal.vault import Vault
from local.standin.happenings import Happening, Happenings


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Amount(_Body):
    amount: Annotated[int, Field(gt=0)] | None = None


class _State(_Body):
    state: Annotated[str, Field(max_length=255)] = ""


class _Outcome(_Body):
    outcome: Annotated[str, Field(pattern="^[A-Z_]+$")] = "RESOLVED_BUYER_FAVOUR"


class People:
    """Payments are named by their order."""

    def __init__(
        self,
        orders: Orders,
        captures: Captures,
        refunds: Refunds,
        disputes: Disputes,
        vault: Vault,
    ) -> None:
        self._orders = orders
        self._captures = captures
        self._refunds = refunds
        self._disputes = disputes
        self._vault = vault

    def routes(self, happenings: Happenings) -> list[Route]:
        refunds = self._refunds
        return [
            happenings.route("payments/{id}/pay", _plain(self._pay)),
            happenings.route("payments/{id}/decline", _plain(self._decline)),
            happenings.route("payments/{id}/expire", _plain(self._expire)),
            happenings.route("payments/{id}/refund", self._refund),
            happenings.route("payments/{id}/reverse", _plain(self._reverse)),
            happenings.route("payments/{id}/dispute", self._dispute),
            happenings.route("payments/{id}/vault", _plain(self._keep)),
            happenings.route("payments/{id}/say", self._say),
            happenings.route("disputes/{id}/resolve", self._resolve),
            happenings.route(
                "refunds/{id}/complete", _plain(lambda i: refunds.end(i, "COMPLETED"))
            ),
            happenings.route("refunds/{id}/fail", _plain(lambda i: refunds.end(i, "FAILED"))),
        ]

    def _pay(self, order_id: str) -> Json:
        return self._approve(order_id, "COMPLETED")

    def _decline(self, order_id: str) -> Json:
        return self._approve(order_id, "DECLINED")

    def _approve(self, order_id: str, ends_as: str) -> Json:
        if self._orders.get(order_id).shown["status"] == "COMPLETED":
            self._captures.end(order_id, ends_as)
        else:
            self._orders.approve(order_id, funding_declined=ends_as == "DECLINED")
        return self._orders.show(order_id)

    def _expire(self, order_id: str) -> Json:
        return self._orders.lapse(order_id).shown

    def _refund(self, order_id: str, body: bytes) -> Json:
        amount = _Amount.model_validate_json(body).amount
        return self._refunds.by_hand(self._capture_of(order_id), amount)

    def _reverse(self, order_id: str) -> Json:
        return self._refunds.reverse(self._capture_of(order_id))

    def _dispute(self, order_id: str, body: bytes) -> Json:
        amount = _Amount.model_validate_json(body).amount
        return self._disputes.open(self._capture_of(order_id), amount)

    def _keep(self, order_id: str) -> Json:
        return self._vault.finish(self._orders.get(order_id))

    def _say(self, order_id: str, body: bytes) -> Json:
        order = self._orders.get(order_id)
        order.say = _State.model_validate_json(body).state
        return self._orders.show(order_id)

    def _resolve(self, dispute_id: str, body: bytes) -> Json:
        return self._disputes.resolve(dispute_id, _Outcome.model_validate_json(body).outcome)

    def _capture_of(self, order_id: str) -> str:
        self._orders.get(order_id)
        for capture in self._captures.of_order(order_id).get("captures", ()):
            return str(capture["id"])
        raise not_found()


def _plain(change: Callable[[str], Json]) -> Happening:
    def happening(subject_id: str, body: bytes) -> Json:
        _Body.model_validate_json(body)
        return change(subject_id)

    return happening
