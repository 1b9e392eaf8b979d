"""Disputes: a client who wants the money back, and who decides about it."""

from copy import deepcopy

from local.paypal.amounts import minor, money
from local.paypal.captures import Captures, is_taken
from local.paypal.errors import Json, forbidden, not_found, unprocessable
from local.paypal.events import Events, instant
from local.paypal.store import Dispute
from local.paypal.world import World

_HIDDEN = ("disputed_transactions", "dispute_outcome")
"""What a list does not show."""


class Disputes:
    """What /v1/customer/disputes shows. `base_url` is where the stand-in is reached."""

    def __init__(self, world: World, events: Events, captures: Captures, base_url: str) -> None:
        self._world = world
        self._events = events
        self._captures = captures
        self._base_url = base_url

    def open(self, capture_id: str, amount_minor: int | None) -> Json:
        """About all of the capture, or so much of it. Raises ApiError."""
        capture = self._captures.get(capture_id)
        if not is_taken(capture):
            raise unprocessable("NOTHING_TO_DISPUTE")
        taken = capture.shown["amount"]
        disputed = money(amount_minor or minor(taken), taken["currency_code"])
        number = len(self._world.state.disputes) + 1
        dispute_id = f"PP-D-{number:05}"
        now = instant(self._world.clock.time())
        address = f"{self._base_url}/v1/customer/disputes/{dispute_id}"
        shown = {
            "dispute_id": dispute_id,
            "create_time": now,
            "update_time": now,
            "disputed_transactions": [{"seller_transaction_id": capture_id}],
            "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
            "status": "OPEN",
            "dispute_state": "REQUIRED_ACTION",
            "dispute_amount": disputed,
            "dispute_life_cycle_stage": "INQUIRY",
            "dispute_channel": "INTERNAL",
            "links": [{"href": address, "rel": "self", "method": "GET"}],
        }
        self._world.state.disputes[dispute_id] = Dispute(shown, capture_id)
        self._tell(shown, "CUSTOMER.DISPUTE.CREATED")
        return deepcopy(shown)

    def resolve(self, dispute_id: str, outcome_code: str) -> Json:
        """Somebody has decided. Raises ApiError (404)."""
        shown = self._get(dispute_id).shown
        shown |= {
            "status": "RESOLVED",
            "dispute_state": "RESOLVED",
            "dispute_outcome": {"outcome_code": outcome_code},
            "update_time": instant(self._world.clock.time()),
        }
        self._tell(shown, "CUSTOMER.DISPUTE.RESOLVED")
        return deepcopy(shown)

    def show(self, dispute_id: str) -> Json:
        self._check_feature()
        details = deepcopy(self._get(dispute_id).shown)
        del details["dispute_state"]  # which only a list shows
        return details

    def listed(self, query: dict[str, str]) -> Json:
        """Those about one transaction, newest first, without how they ended. Raises ApiError."""
        self._check_feature()
        if set(query) - {"disputed_transaction_id", "page_size"}:
            raise unprocessable("NOT_SUPPORTED", "The stand-in lists one transaction's disputes.")
        size = int(query.get("page_size", 10))
        wanted = query["disputed_transaction_id"]
        found = [one.shown for one in self._world.state.disputes.values() if one.capture == wanted]
        items = [_summary(one) for one in reversed(found)][:size]
        address = f"{self._base_url}/v1/customer/disputes?disputed_transaction_id={wanted}"
        links = [{"href": address, "rel": "self", "method": "GET"}]
        if len(found) > size:
            links.append({"href": f"{address}&next_page_token=2", "rel": "next", "method": "GET"})
        return {"items": items, "links": links} if items else {"links": links}

    def _check_feature(self) -> None:
        if self._world.switches.take("no_disputes_feature"):
            raise forbidden()

    def _get(self, dispute_id: str) -> Dispute:
        dispute = self._world.state.disputes.get(dispute_id)
        if dispute is None:
            raise not_found()
        return dispute

    def _tell(self, shown: Json, event_type: str) -> None:
        """With the empty list of items that real events have, and the published schema forbids."""
        told = deepcopy(shown)
        for transaction in told["disputed_transactions"]:
            transaction["items"] = []
        self._events.record(event_type, told)


def _summary(shown: Json) -> Json:
    return {name: value for name, value in shown.items() if name not in _HIDDEN}
