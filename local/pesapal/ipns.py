"""The addresses that orders may name, and how they are told of a payment."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from local.pesapal.errors import ApiError, Json
from local.pesapal.notices import told_of
from local.pesapal.requests import RegisterIpn
from local.pesapal.store import Ipn, NotificationType, Order
from local.pesapal.world import World
from local.standin.outbox import Event


class Ipns:
    """Registers addresses, and puts what happens to an order into the queue.

    `put` queues an event for the address that its order named.
    """

    def __init__(self, world: World, put: Callable[[Event], None]) -> None:
        self._world = world
        self._put = put

    def register(self, asked: RegisterIpn) -> Json:
        """As often as it is asked: Pesapal has an address twice that was registered twice."""
        return _told(self._add(asked.url, asked.ipn_notification_type))

    def listed(self) -> list[Json]:
        return [_told(ipn) for ipn in self._world.state.ipns.values()]

    def find_or_add(self, url: str, kind: NotificationType) -> str:
        """The id under which the address is registered, in a run before this one or now."""
        for ipn in self._world.state.ipns.values():
            if (ipn.url, ipn.type) == (url, kind):
                return ipn.id
        return self._add(url, kind).id

    def check(self, notification_id: str) -> None:
        """Raises ApiError for an id that no address has."""
        if notification_id not in self._world.state.ipns:
            raise ApiError("There is no such IPN address.", "invalid_notification_id")

    def tell(self, order: Order) -> None:
        """That something happened to the order, and not what."""
        fields = told_of(order, "IPNCHANGE")
        event_id, created = self._world.ids.guid(), self._world.timestamp()
        body = json.dumps(fields)
        self._put(Event(event_id, "IPNCHANGE", created, body, to=order.notification_id))

    def compose(self, event: Event, _at: float) -> httpx.Request:
        """The request that tells it: a query, or a JSON body, as the address was registered."""
        ipn, fields = self._world.state.ipns[event.to], json.loads(event.body)
        if ipn.type == "GET":
            return httpx.Request("GET", httpx.URL(ipn.url).copy_merge_params(fields))
        return httpx.Request("POST", ipn.url, json=fields)

    def _add(self, url: str, kind: NotificationType) -> Ipn:
        ipn = Ipn(self._world.ids.guid(), url, kind, self._world.clock.time())
        self._world.state.ipns[ipn.id] = ipn
        return ipn


def is_acknowledged(response: httpx.Response) -> bool:
    """Whether the receiver repeats what it was told, with a status of 200 in its JSON."""
    try:
        answer = response.json()
    except ValueError:
        return False
    told = _fields_of(response.request)
    expected = {f"o{name[1:]}": value for name, value in told.items()} | {"status": 200}
    return response.is_success and bool(answer == expected)


def _fields_of(request: httpx.Request) -> dict[str, Any]:
    if request.method == "GET":
        return {name: value for name, value in request.url.params.items() if name[:5] == "Order"}
    fields: dict[str, Any] = json.loads(request.content)
    return fields


def _told(ipn: Ipn) -> Json:
    created = datetime.fromtimestamp(ipn.created, UTC)
    return {
        "url": ipn.url,
        "created_date": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "ipn_id": ipn.id,
        "notification_type": 1 if ipn.type == "POST" else 0,
        "ipn_notification_type_description": ipn.type,
        "ipn_status": 1,
        "ipn_status_description": "Active",
        "error": None,
        "status": "200",
    }
