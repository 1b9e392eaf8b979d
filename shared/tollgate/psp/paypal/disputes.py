"""Disputes about a capture, which an order does not show.

Source: PayPal's OpenAPI document of Disputes v1 (list by disputed_transaction_id, details). Whether
a transaction without disputes gives an empty list, no list or a 404 is not documented: each of them
means none.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.outcome import DisputeOutcome
from tollgate.psp.answers import as_documented, mapping, text
from tollgate.psp.paypal.amounts import stated_money
from tollgate.psp.paypal.api import Api

PAGE_SIZE = 50
"""The most that PayPal lists at once; nobody disputes one capture as often."""

_ENDS: Mapping[object, DisputeStatus] = {
    "RESOLVED_BUYER_FAVOUR": DisputeStatus.LOST,
    "ACCEPTED": DisputeStatus.LOST,
    "RESOLVED_SELLER_FAVOUR": DisputeStatus.WON,
    "CANCELED_BY_BUYER": DisputeStatus.WON,
    "DENIED": DisputeStatus.WON,
    # PayPal pays the client out of its own pocket, and the money stays here
    "RESOLVED_WITH_PAYOUT": DisputeStatus.WON,
}


def read_disputes(api: Api, capture_id: str) -> tuple[DisputeOutcome, ...]:
    """Every dispute about this capture. Raises PspUnavailable, Misconfigured."""
    query = {"disputed_transaction_id": capture_id, "page_size": str(PAGE_SIZE)}
    page = api.get("/v1/customer/disputes", query)
    with as_documented("PayPal"):
        if page is None:
            return ()
        if any(link["rel"] == "next" for link in page.get("links") or ()):
            raise PspUnavailable("PayPal has more disputes than can be read at once.")
        return tuple(_dispute(api, mapping(one)) for one in page.get("items") or ())


def _dispute(api: Api, listed: Mapping[str, Any]) -> DisputeOutcome:
    """A list says that a dispute is over, and only its details say how."""
    dispute_id = text(listed["dispute_id"])
    dispute: Mapping[str, Any] | None = listed
    if listed["status"] == "RESOLVED" and "dispute_outcome" not in listed:
        dispute = api.get(f"/v1/customer/disputes/{quote(dispute_id, safe='')}")
    amount = stated_money(listed["dispute_amount"])
    return DisputeOutcome(dispute_id, amount, _status(mapping(dispute)))


def _status(dispute: Mapping[str, Any]) -> DisputeStatus:
    """Anything that is not clearly over is open: to believe that the money is there would be the
    worse error."""
    if text(dispute["status"]) != "RESOLVED":
        return DisputeStatus.OPEN
    outcome = mapping(dispute.get("dispute_outcome") or {})
    return _ENDS.get(outcome.get("outcome_code"), DisputeStatus.OPEN)
