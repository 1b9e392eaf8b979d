"""The routes of PayPal's API that the stand-in has, and what each does."""

from local.paypal.api import Acting, Reading
from local.paypal.captures import Captures
from local.paypal.disputes import Disputes
from local.paypal.orders import Orders
from local.paypal.refunds import Refunds
from local.paypal.specification import ORDERS, PAYMENTS

ORDER_KEPT_SECONDS = 6 * 3600
REFUND_KEPT_SECONDS = 45 * 86400


def operations(
    orders: Orders, captures: Captures, refunds: Refunds, disputes: Disputes
) -> dict[tuple[str, str], Reading | Acting]:
    """By method and path pattern."""
    order, payments, dispute = "/v2/checkout/orders", "/v2/payments", "/v1/customer/disputes"
    return {
        ("POST", order): Acting(
            (ORDERS, "order_request"), orders.create, orders.show, ORDER_KEPT_SECONDS
        ),
        ("GET", f"{order}/{{id}}"): Reading(lambda order_id, _: orders.show(order_id)),
        ("POST", f"{order}/{{id}}/capture"): Acting(
            (ORDERS, "order_capture_request"), orders.capture, orders.show, ORDER_KEPT_SECONDS
        ),
        ("GET", f"{payments}/captures/{{id}}"): Reading(
            lambda capture_id, _: captures.show(capture_id)
        ),
        ("POST", f"{payments}/captures/{{id}}/refund"): Acting(
            (PAYMENTS, "refund_request"), refunds.create, refunds.show, REFUND_KEPT_SECONDS
        ),
        ("GET", f"{payments}/refunds/{{id}}"): Reading(
            lambda refund_id, _: refunds.show(refund_id)
        ),
        ("GET", dispute): Reading(lambda _, query: disputes.listed(query)),
        ("GET", f"{dispute}/{{id}}"): Reading(lambda dispute_id, _: disputes.show(dispute_id)),
    }
