"""Signed deliveries, retried until the receiver says 2xx or the attempts are used up."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from itertools import groupby

import httpx

from local.clock import Clock
from local.stripe.store import Attempt, Delivery, Event, Store

# Between attempts. Stripe takes hours in a sandbox and days in live mode.
RETRY_AFTER_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_RECEIVER_TIMEOUT_SECONDS = 10.0
_POLL_SECONDS = 0.05


def signature(body: bytes, secret: str, at: int) -> str:
    """The Stripe-Signature header: HMAC-SHA256 over "<at>.<body>" with the whole secret."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class Webhooks:
    """The worker that delivers what is due. `tick` is called each time it looks."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        url: str,
        secret: str,
        log: Callable[[str], None],
        tick: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._url = url
        self._secret = secret
        self._log = log
        self._tick = tick
        self._client: httpx.AsyncClient | None = None
        self._worker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._client = httpx.AsyncClient(
            timeout=_RECEIVER_TIMEOUT_SECONDS,
            trust_env=False,
            # a connection kept open may be closed by the receiver just as the next event is sent
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """What is not delivered yet stays queued for the next start."""
        if self._worker is not None:
            self._worker.cancel()
            with suppress(asyncio.CancelledError):
                await self._worker
        if self._client is not None:
            await self._client.aclose()

    async def _work(self) -> None:
        while True:
            self._tick()
            await self._deliver_due()
            await asyncio.sleep(_POLL_SECONDS)

    async def _deliver_due(self) -> None:
        """One event after another, in order; the copies of one event at the same moment."""
        now = self._clock.time()
        due = [delivery for delivery in self._store.state.deliveries if delivery.due_at <= now]
        due.sort(key=lambda delivery: (delivery.due_at, delivery.order))
        for _, copies in groupby(due, key=lambda delivery: delivery.event):
            await asyncio.gather(*(self._deliver(copy) for copy in copies))
            self._store.save()

    async def _deliver(self, delivery: Delivery) -> None:
        attempt = await self.attempt(self._store.state.events[delivery.event])
        self._store.state.deliveries.remove(delivery)
        if _accepted(attempt) or delivery.failures == len(RETRY_AFTER_SECONDS):
            return
        delivery.due_at = self._clock.time() + RETRY_AFTER_SECONDS[delivery.failures]
        delivery.failures += 1
        self._store.state.deliveries.append(delivery)

    async def attempt(self, event: Event) -> Attempt:
        """Sends the event now, with a fresh signature, and notes how that went."""
        if self._client is None:
            raise RuntimeError("the webhook worker has not been started")
        at = self._clock.time()
        body = event.body.encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, self._secret, int(at)),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            response = await self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            attempt = Attempt(at, None, type(error).__name__)
        else:
            attempt = Attempt(at, response.status_code)
        event.attempts.append(attempt)
        if _accepted(attempt) and event.delivered_at is None:
            event.delivered_at = self._clock.time()
        self._log(f"stripe webhook {event.type} {event.id}: {attempt.status or attempt.error}")
        return attempt


def _accepted(attempt: Attempt) -> bool:
    return attempt.status is not None and 200 <= attempt.status < 300
