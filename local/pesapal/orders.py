"""Orders: opened by the API, paid on the page, and never over by themselves."""

from local.pesapal.currencies import CURRENCIES, minor_of
from local.pesapal.errors import ApiError, Json, invalid, unknown_order
from local.pesapal.ipns import Ipns
from local.pesapal.methods import Method
from local.pesapal.requests import SubmitOrder
from local.pesapal.store import Charge, Order
from local.pesapal.world import World


class Orders:
    """What can happen to an order until it is paid. Every change of a payment is told."""

    def __init__(self, world: World, ipns: Ipns, base_url: str) -> None:
        self._world = world
        self._ipns = ipns
        self._base_url = base_url

    def get(self, tracking_id: str) -> Order:
        """Raises ApiError."""
        order = self._world.state.orders.get(tracking_id.lower())
        if order is None:
            raise unknown_order()
        return order

    def submit(self, asked: SubmitOrder) -> Json:
        """Opens an order with a page of its own. A merchant reference is taken once."""
        if self._world.switches.take("limit_exceeded"):
            message = "sandbox transactions limit exceeded"
            raise ApiError(message, "maximum_amount_limit_exceeded")
        self._ipns.check(asked.notification_id)
        if any(asked.id == order.reference for order in self._world.state.orders.values()):
            raise ApiError("There is an order of this id.", "duplicate_order_id")
        order = Order(
            id=self._world.ids.guid(),
            reference=asked.id,
            amount_minor=_minor(asked),
            currency=asked.currency,
            description=asked.description,
            callback_url=asked.callback_url,
            cancellation_url=asked.cancellation_url,
            notification_id=asked.notification_id,
            created=self._world.clock.time(),
        )
        self._world.state.orders[order.id] = order
        page = f"{self._base_url}/pesapaliframe/PesapalIframe3/Index/?OrderTrackingId={order.id}"
        return {
            "order_tracking_id": order.id,
            "merchant_reference": order.reference,
            "redirect_url": page,
            "error": None,
            "status": "200",
        }

    def cancel(self, tracking_id: str) -> Json:
        """Once, and not what was paid."""
        order = self.get(tracking_id)
        if order.status not in ("open", "failed"):
            raise ApiError("Order could not be cancelled.")
        order.status = "canceled"
        return {"status": "200", "message": "Order successfully cancelled."}

    def pay(self, tracking_id: str, method: Method) -> Order:
        """Takes the money, also after a try that failed."""
        order = self._payable(tracking_id)
        order.status, order.charge = "paid", self._charge(order, method)
        order.charge.confirmation_code = method.confirmation_code(self._world.ids)
        self._ipns.tell(order)
        return order

    def fail(self, tracking_id: str, method: Method) -> Order:
        """A try that took nothing. The page stays open for the next."""
        order = self._payable(tracking_id)
        order.status, order.charge = "failed", self._charge(order, method)
        order.charge.failure_code = method.failure_code
        self._ipns.tell(order)
        return order

    def _payable(self, tracking_id: str) -> Order:
        order = self.get(tracking_id)
        if order.status not in ("open", "failed"):
            raise ApiError(f"This order is {order.status}.")
        return order

    def _charge(self, order: Order, method: Method) -> Charge:
        switches = self._world.switches
        amount_minor = order.amount_minor + switches.take("wrong_amount")
        currency = switches.take("wrong_currency").upper() or order.currency
        return Charge(method.name, method.account, amount_minor, currency)


def _minor(asked: SubmitOrder) -> int:
    if asked.currency not in CURRENCIES:
        raise ApiError("This currency is not enabled.", "invalid_currency")
    amount_minor = minor_of(asked.amount, asked.currency)
    if amount_minor is None:
        raise invalid("amount: too many digits behind the point")
    return amount_minor
