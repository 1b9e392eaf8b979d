"""The client: one object an app makes when it starts, and shares between its threads."""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from tollgate_client.calls import Caller, Request
from tollgate_client.entitlements import FETCH_TIMEOUT_SECONDS, Entitlements
from tollgate_client.errors import EntitlementRefused
from tollgate_client.memory import Memory
from tollgate_client.models import Check, ClientToken, Payment, Subscription, read

REMEMBERED_CLIENTS = 10_000

_KEY = re.compile(r"tg_(?:test|live)_([0-9A-Za-z]+)_[0-9A-Za-z]+")
_log = logging.getLogger("tollgate_client")


class Tollgate:
    """Tollgate, for one app. Safe to share between threads; make it after a process forks.

    base_url   the deployment's URL, to which `/payments/create` is added
    api_key    `tg_test_…` or `tg_live_…`
    app_id     `app_…`; needed for what is verified offline: is_active, entitlements
    timeout    how long one try may wait for an answer, in seconds: by default as long as
               Tollgate's slowest function may take
    retries    how often a request is sent again: after connection errors, timeouts, 429 and 503,
               and while another request holds the same idempotency key
    deadline   after how many seconds in all no further try begins or waits
    transport  an httpx transport, for tests
    clock      seconds since 1970, for entitlements

    Raises ValueError for a URL or key that can't be one.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        app_id: str | None = None,
        timeout: float = 25.0,
        retries: int = 3,
        deadline: float = 45.0,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        key = _KEY.fullmatch(api_key)
        if key is None:
            raise ValueError("api_key is not a key of Tollgate's: tg_test_… or tg_live_…")
        if not re.fullmatch(r"https?://[^\s@?#]+", base_url):
            raise ValueError("base_url is not an http or https URL")
        self._base_url = base_url.rstrip("/")
        self._key_id, self._api_key = key.group(1), api_key
        self._caller = Caller(
            self._base_url,
            api_key,
            timeout=timeout,
            retries=retries,
            deadline=deadline,
            transport=transport,
        )
        self._memory = Memory(REMEMBERED_CLIENTS)
        self._entitlements = (
            Entitlements(self._base_url, app_id, self._fetch_jwks, clock=clock) if app_id else None
        )

    def __repr__(self) -> str:
        return f"Tollgate({self._base_url!r})"

    def __enter__(self) -> "Tollgate":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._caller.close()

    def create_payment(
        self,
        client_id: str,
        *,
        idempotency_key: str | None = None,
        plan: str | None = None,
        amount: int | None = None,
        currency: str | None = None,
        psp: str | None = None,
        description: str | None = None,
        return_url: str | None = None,
        cancel_url: str | None = None,
        customer: Mapping[str, str] | None = None,
        method: str | None = None,
        save_method: bool | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Payment:
        """Starts a payment: for a `plan`, or for an `amount` in minor units of a `currency`.

        The same `idempotency_key` with the same arguments is the same payment, however often it
        is sent: give your order's id. Without one, a key is made up for this call, and only the
        retries within it are safe.

        `status` is "pending" when the PSP's answer is not known: a normal answer. The payment
        exists, and what became of it shows in get_payment, has_paid and the events.

        Raises ApiError, ConnectionFailed, UnexpectedAnswer; after the last two the payment may
        exist, and the same key finds it.
        """
        body = {
            "client_id": client_id,
            "plan": plan,
            "amount": amount,
            "currency": currency,
            "psp": psp,
            "description": description,
            "return_url": return_url,
            "cancel_url": cancel_url,
            "customer": dict(customer) if customer is not None else None,
            "method": method,
            "save_method": save_method,
            "metadata": dict(metadata) if metadata is not None else None,
        }
        headers = {"Idempotency-Key": _idempotency_key(idempotency_key)}
        return read(Payment, self._post("payments/create", body, headers))

    def get_payment(self, payment_id: str) -> Payment:
        """One payment. Raises NotFound and the other ApiErrors, ConnectionFailed."""
        return read(Payment, self._get(f"payments/get/{_segment(payment_id)}"))

    def create_subscription(
        self,
        client_id: str,
        plan: str,
        *,
        currency: str | None = None,
        customer: Mapping[str, str] | None = None,
        renewal: Mapping[str, Any] | None = None,
    ) -> Subscription:
        """A subscription of this client to the plan, or the live one moved to it.

        Harmless to repeat. It gives access once the client has paid at its `pay_url`, or a payment
        for its plan succeeds; at once where the plan has a trial. A client who comes back after the
        end is given a new `pay_url` by it. Raises ApiError, ConnectionFailed.
        """
        body = {
            "client_id": client_id,
            "plan": plan,
            "currency": currency,
            "customer": dict(customer) if customer is not None else None,
            "renewal": dict(renewal) if renewal is not None else None,
        }
        return read(Subscription, self._post("subscriptions/create", body, {}))

    def get_subscription(self, subscription_id: str) -> Subscription:
        """One subscription. Raises NotFound and the other ApiErrors, ConnectionFailed."""
        return read(Subscription, self._get(f"subscriptions/get/{_segment(subscription_id)}"))

    def cancel_subscription(self, subscription_id: str, at: str = "period_end") -> Subscription:
        """Ends it with its period, or "now"; "never" takes that back. No money moves by it.

        Raises Conflict where there is no such end to make or to take back, as a second time;
        NotFound and the other ApiErrors, ConnectionFailed.
        """
        return self._move("cancel", subscription_id, at=at)

    def change_subscription(
        self, subscription_id: str, plan: str, *, proration: str | None = None
    ) -> Subscription:
        """Puts it on another plan of its product.

        `proration` is "credit", "charge_now" or "none", and the plan's own unless given. After
        "charge_now" the plan has changed, or the client has to pay at `pay_url` first.

        Raises Invalid, Conflict, NotFound and the other ApiErrors, ConnectionFailed.
        """
        return self._move("change", subscription_id, plan=plan, proration=proration)

    def pause_subscription(
        self, subscription_id: str, *, resumes_at: datetime | None = None
    ) -> Subscription:
        """Stands it still, until then, or until it is resumed or paid for.

        Raises Conflict where no time is left or it is paused; NotFound and the other ApiErrors,
        ConnectionFailed; ValueError for a time without its zone.
        """
        if resumes_at is not None and resumes_at.tzinfo is None:
            raise ValueError("resumes_at is a time without its zone")
        until = resumes_at.isoformat() if resumes_at is not None else None
        return self._move("pause", subscription_id, resumes_at=until)

    def resume_subscription(self, subscription_id: str) -> Subscription:
        """Lets it go on where it stood. Raises Conflict where it is not paused; NotFound and the
        other ApiErrors, ConnectionFailed."""
        return self._move("resume", subscription_id)

    def check(self, client_id: str, product: str | None = None) -> Check:
        """Has this client paid, and why? Asks Tollgate. Raises ApiError, ConnectionFailed."""
        query = {} if product is None else {"product": product}
        return read(Check, self._get(f"subscriptions/check/{_segment(client_id)}", query))

    def has_paid(
        self, client_id: str, product: str | None = None, *, entitlement: str | None = None
    ) -> bool:
        """Has this client paid? From the `entitlement` the client brought, or else asks Tollgate.

        Raises ApiError, ConnectionFailed, and ValueError for an entitlement without app_id.
        """
        if entitlement is not None:
            refusal = _refusal(self.entitlements, entitlement, client_id, product)
            if refusal is None:
                return True
        return self.check(client_id, product).active

    def is_active(self, client_id: str, product: str | None = None) -> bool:
        """Has this client paid? From the last answer while its entitlement lasts, or else asks.

        An entitlement lasts 15 minutes at most, and never longer than the access; a refund shows
        here when it has ended. "No" is never remembered. Raises ApiError, ConnectionFailed, and
        ValueError when app_id was not given.
        """
        key, entitlements = (client_id, product), self.entitlements
        held = self._memory.get(key)
        if held is not None and _refusal(entitlements, held, client_id, product) is None:
            return True
        check = self.check(client_id, product)
        if check.active and check.entitlement is not None:
            refusal = _refusal(entitlements, check.entitlement, client_id, product)
            if refusal is None:
                self._memory.put(key, check.entitlement)
                return True
            _log.warning("An entitlement fresh from Tollgate is refused. %s", refusal)
        self._memory.forget(key)
        return check.active

    def client_token(self, subject: str, scope: str | None = None) -> ClientToken:
        """A short-lived token for one client (`subject`), for its own browser or device.

        OAuth 2.0 client credentials (RFC 6749, 4.4). Raises ApiError, ConnectionFailed.
        """
        form = {"grant_type": "client_credentials", "subject": subject}
        if scope is not None:
            form["scope"] = scope
        request = Request(
            "POST",
            "auth/token",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode(),
        )
        credentials = httpx.BasicAuth(self._key_id, self._api_key)
        return read(ClientToken, self._caller.send(request, credentials))

    @property
    def entitlements(self) -> Entitlements:
        """Verifies entitlements offline. Raises ValueError when app_id was not given."""
        if self._entitlements is None:
            raise ValueError("Verifying offline needs Tollgate(…, app_id=…)")
        return self._entitlements

    def _fetch_jwks(self) -> Mapping[str, Any]:
        return self._caller.send_once(Request("GET", "auth/keys"), None, FETCH_TIMEOUT_SECONDS)

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        return self._caller.send(Request("GET", path, query or {}))

    def _move(self, function: str, subscription_id: str, **body: object) -> Subscription:
        path = f"subscriptions/{function}/{_segment(subscription_id)}"
        return read(Subscription, self._send("PUT", path, body, {}))

    def _post(
        self, path: str, body: Mapping[str, object], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        return self._send("POST", path, body, headers)

    def _send(
        self, method: str, path: str, body: Mapping[str, object], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        given = {name: value for name, value in body.items() if value is not None}
        # one spelling: Tollgate compares the bytes that are sent under one idempotency key
        content = json.dumps(given, sort_keys=True, separators=(",", ":")).encode()
        json_headers = {"Content-Type": "application/json", **headers}
        return self._caller.send(Request(method, path, {}, json_headers, content))


def _idempotency_key(given: str | None) -> str:
    key = str(uuid.uuid4()) if given is None else given
    if not re.fullmatch(r"[ -~]{1,255}", key):
        raise ValueError("idempotency_key is not 1 to 255 printable ASCII characters")
    return key


def _segment(identifier: str) -> str:
    """One segment of a path. Raises ValueError for what would lead elsewhere."""
    if not identifier or identifier.startswith("."):
        raise ValueError("an id is not empty, and does not begin with a dot")
    return quote(identifier, safe="")


def _refusal(
    entitlements: Entitlements, jws: str, client_id: str, product: str | None
) -> EntitlementRefused | None:
    """Why an entitlement does not count; None when it does."""
    try:
        entitlements.verify(jws, client_id, product)
    except EntitlementRefused as refusal:
        return refusal
    return None
