"""Whom an event is about: by PayPal's own sample events, as far as the adapter reads them."""

import json
from typing import Any

import pytest

from tollgate.domain.errors import WebhookMalformed
from tollgate.domain.outcome import Hint
from tollgate.psp.paypal.events import read_event

ORDER_ID = "4K5112848U951142F"
CAPTURE_ID = "5VK462069F664902F"
REFUND_ID = "1Y107995YT783435V"


def hint(kind: str, resource: dict[str, Any]) -> Hint:
    event = {"id": "WH-1", "event_type": kind, "resource": resource, "new_field": [1]}
    return read_event(json.dumps(event).encode(), livemode=False)


def about(found: Hint) -> tuple[object, ...]:
    return found.payment_id, found.psp_reference, found.references


def up(kind: str, object_id: str) -> dict[str, Any]:
    place = "checkout" if kind == "orders" else "payments"
    href = f"https://api.sandbox.paypal.com/v2/{place}/{kind}/{object_id}"
    own = {"href": "https://api.sandbox.paypal.com/v2/payments/captures/X", "rel": "self"}
    return {"links": [own, {"href": href, "rel": "up", "method": "GET"}]}


def related(order_id: str = ORDER_ID) -> dict[str, Any]:
    return {"supplementary_data": {"related_ids": {"order_id": order_id}}}


def test_what_an_event_is() -> None:
    found = hint("CHECKOUT.ORDER.APPROVED", {})
    assert (found.event_id, found.type) == ("WH-1", "CHECKOUT.ORDER.APPROVED")
    assert (found.livemode, found.reply, found.alarm) == (False, None, None)
    body = b'{"id": "WH-1", "event_type": "X", "resource": {}}'
    assert read_event(body, livemode=True).livemode is True


@pytest.mark.parametrize("kind", ["CHECKOUT.ORDER.APPROVED", "CHECKOUT.ORDER.COMPLETED"])
def test_an_order(kind: str) -> None:
    resource = {"id": ORDER_ID, "purchase_units": [{"custom_id": "pay_1"}]}
    assert about(hint(kind, resource)) == ("pay_1", ORDER_ID, ())


def test_an_approval_that_was_reversed() -> None:
    resource = {"order_id": ORDER_ID, "purchase_units": [{"custom_id": "pay_1"}]}
    assert about(hint("CHECKOUT.PAYMENT-APPROVAL.REVERSED", resource)) == ("pay_1", ORDER_ID, ())


@pytest.mark.parametrize("kind", ["COMPLETED", "PENDING", "DENIED", "DECLINED"])
@pytest.mark.parametrize("order", [related(), up("orders", ORDER_ID)], ids=["related", "link"])
def test_a_capture(kind: str, order: dict[str, Any]) -> None:
    resource = {"id": CAPTURE_ID, "custom_id": "pay_1"} | order
    found = hint(f"PAYMENT.CAPTURE.{kind}", resource)
    assert about(found) == ("pay_1", ORDER_ID, (CAPTURE_ID,))


def test_a_capture_of_an_authorization_names_no_order() -> None:
    resource = {"id": CAPTURE_ID} | up("authorizations", "7W5147081L658180V")
    found = hint("PAYMENT.CAPTURE.COMPLETED", resource)
    assert about(found) == (None, None, (CAPTURE_ID, "7W5147081L658180V"))


@pytest.mark.parametrize(
    "kind",
    [
        "PAYMENT.CAPTURE.REFUNDED",
        "PAYMENT.CAPTURE.REVERSED",
        "PAYMENT.REFUND.PENDING",
        "PAYMENT.REFUND.FAILED",
    ],
)
def test_a_refund_names_its_capture_and_itself(kind: str) -> None:
    resource = {"id": REFUND_ID, "custom_id": "ref_1"} | up("captures", CAPTURE_ID)
    assert about(hint(kind, resource)) == (None, None, (CAPTURE_ID,))


def test_a_refund_that_tells_its_order() -> None:
    resource = {"id": REFUND_ID} | up("captures", CAPTURE_ID) | related()
    found = hint("PAYMENT.CAPTURE.REFUNDED", resource)
    assert about(found) == (None, ORDER_ID, (CAPTURE_ID,))


@pytest.mark.parametrize("kind", ["CREATED", "UPDATED", "RESOLVED"])
def test_a_dispute_names_the_disputed_captures(kind: str) -> None:
    disputed = [{"seller_transaction_id": CAPTURE_ID, "items": []}, {"items": []}]
    resource = {"dispute_id": "PP-D-1", "disputed_transactions": disputed, "id": "OTHER"}
    assert about(hint(f"CUSTOMER.DISPUTE.{kind}", resource)) == (None, None, (CAPTURE_ID,))


def test_a_kept_method_names_its_order() -> None:
    resource = {"id": "8kk8451t", "metadata": {"order_id": ORDER_ID}}
    assert about(hint("VAULT.PAYMENT-TOKEN.CREATED", resource)) == (None, ORDER_ID, ())


@pytest.mark.parametrize(
    "kind", ["BILLING.SUBSCRIPTION.CANCELLED", "IDENTITY.AUTHORIZATION-CONSENT.REVOKED", "X"]
)
def test_what_is_none_of_ours(kind: str) -> None:
    assert about(hint(kind, {"id": "I-BW452GLLEP1G", "custom_id": "x"})) == (None, None, ())


def test_another_authors_names_are_not_taken_for_ours() -> None:
    for value in ("x" * 300, "", 7, None, ["pay_1"], "a\nb"):
        found = hint("PAYMENT.CAPTURE.COMPLETED", {"id": CAPTURE_ID, "custom_id": value})
        assert found.payment_id is None
    for value in ("../../x", "id with spaces", "X" * 60, "4k5112848u951142f", "X\n"):
        found = hint("PAYMENT.CAPTURE.COMPLETED", {"id": value} | related(value))
        assert about(found) == (None, None, ())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b'{"id": "WH-1", "event_type": "X"}',
        b'{"id": "WH-1", "event_type": "X", "resource": []}',
        b'{"id": "", "event_type": "X", "resource": {}}',
        b'{"id": null, "event_type": "X", "resource": {}}',
        b'{"id": "WH-1", "event_type": 7, "resource": {}}',
        b'{"id": "WH-1", "event_type": "X", "resource": {"links": [7]}}',
        b'{"id": "WH-1", "event_type": "CHECKOUT.X", "resource": {"purchase_units": [7]}}',
        b'{"id": "WH-1", "event_type": "CUSTOMER.DISPUTE.X",'
        b' "resource": {"disputed_transactions": [7]}}',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:60]),
)
def test_what_is_no_event(body: bytes) -> None:
    with pytest.raises(WebhookMalformed):
        read_event(body, livemode=False)
