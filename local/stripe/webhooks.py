"""Webhooks as Stripe sends them: the event's JSON, signed with the endpoint's secret."""

import hashlib
import hmac

import httpx

from local.standin.deliveries import Compose
from local.standin.outbox import Event


def signature(body: bytes, secret: str, at: int) -> str:
    """The Stripe-Signature header: HMAC-SHA256 over "<at>.<body>" with the whole secret."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def webhook(url: str, secret: str) -> Compose:
    """Makes the request that tells an event to the endpoint."""

    def compose(event: Event, at: float) -> httpx.Request:
        body = event.body.encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, secret, int(at)),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        return httpx.Request("POST", url, content=body, headers=headers)

    return compose
