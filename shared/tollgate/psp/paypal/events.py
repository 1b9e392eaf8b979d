"""A webhook's event as a Hint: whom it is about, and nothing of what it says.

Only a capture and an order bear our reference; what a refund bears under the same name is the
refund's. The order stands in `supplementary_data`, or behind the link to what the object came from,
or nowhere; a refund and a dispute name the capture alone.
Source: developer.paypal.com (webhooks, event names), and PayPal's sample events.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tollgate.domain.errors import WebhookMalformed
from tollgate.domain.outcome import Hint
from tollgate.psp.answers import NOT_AS_DOCUMENTED, mapping, text

_ID = r"[A-Z0-9]{1,36}"
_LINK = re.compile(rf".*/(orders|captures|authorizations)/({_ID})", re.ASCII)


def read_event(body: bytes, livemode: bool) -> Hint:
    """The Hint in an event whose signature was right. Raises WebhookMalformed."""
    try:
        event = mapping(json.loads(body))
        kind = text(event["event_type"])
        resource = mapping(event["resource"])
        origins = dict(_origins(resource))
        return Hint(
            event_id=text(event["id"]),
            type=kind,
            livemode=livemode,
            payment_id=_payment_id(kind, resource),
            psp_reference=_order_id(kind, resource) or origins.get("orders"),
            references=tuple(_references(kind, resource, origins)),
        )
    except NOT_AS_DOCUMENTED:
        raise WebhookMalformed from None


def _payment_id(kind: str, resource: Mapping[str, Any]) -> str | None:
    if kind.startswith("CHECKOUT."):
        units = resource.get("purchase_units") or [{}]
        return _given(mapping(units[0]).get("custom_id"))
    if _is_of_refund(kind) or not kind.startswith("PAYMENT."):
        return None
    return _given(resource.get("custom_id"))


def _order_id(kind: str, resource: Mapping[str, Any]) -> str | None:
    if kind.startswith("CHECKOUT.ORDER."):
        return _id(resource.get("id"))
    if kind.startswith("CHECKOUT."):
        return _id(resource.get("order_id"))
    if kind.startswith("VAULT."):
        return _id(_inner(resource, "metadata").get("order_id"))
    return _id(_inner(resource, "supplementary_data", "related_ids").get("order_id"))


def _references(
    kind: str, resource: Mapping[str, Any], origins: Mapping[str, str]
) -> Iterator[str]:
    """The captures and authorizations that it is about."""
    if kind.startswith("CUSTOMER.DISPUTE."):
        for transaction in resource.get("disputed_transactions") or ():
            if (disputed := _id(transaction.get("seller_transaction_id"))) is not None:
                yield disputed
    elif kind.startswith("PAYMENT."):
        if not _is_of_refund(kind) and (own := _id(resource.get("id"))) is not None:
            yield own
        yield from (found for name, found in origins.items() if name != "orders")


def _is_of_refund(kind: str) -> bool:
    """Whether its resource is a refund: its id is the refund's, and so are its other names."""
    return kind.startswith("PAYMENT.REFUND.") or kind.endswith((".REFUNDED", ".REVERSED"))


def _origins(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What it came from, by kind: `orders`, `captures`, `authorizations`."""
    for link in resource.get("links") or ():
        if link["rel"] == "up" and (found := _LINK.fullmatch(link["href"])):
            yield found[1], found[2]


def _inner(resource: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        resource = mapping(resource.get(name) or {})
    return resource


def _id(value: object) -> str | None:
    """An id as PayPal makes them; None for anything else, which can be none of ours."""
    return value if isinstance(value, str) and re.fullmatch(_ID, value, re.ASCII) else None


def _given(value: object) -> str | None:
    """Our reference; None for what others put there."""
    try:
        return text(value)
    except ValueError:
        return None
