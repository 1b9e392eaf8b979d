"""Webhooks as PayPal sends them: the event's JSON, signed with the key of a certificate."""

import zlib
from collections.abc import Callable

import httpx

from local.paypal.authority import Authority
from local.paypal.events import instant
from local.standin.deliveries import Compose
from local.standin.outbox import Event

CERTIFICATE_PATH = "/v1/notifications/certs/CERT-stand-in"


def webhook(
    url: str, webhook_id: str, api_url: str, authority: Authority, new_id: Callable[[], str]
) -> Compose:
    """Makes the request that tells an event. Its time is the event's, however late it is told."""

    def compose(event: Event, _at: float) -> httpx.Request:
        body = event.body.encode()
        transmission_id, sent_at = new_id(), instant(event.created)
        message = f"{transmission_id}|{sent_at}|{webhook_id}|{zlib.crc32(body)}"
        headers = {
            "Content-Type": "application/json",
            "PAYPAL-TRANSMISSION-ID": transmission_id,
            "PAYPAL-TRANSMISSION-TIME": sent_at,
            "PAYPAL-TRANSMISSION-SIG": authority.sign(message.encode()),
            "PAYPAL-CERT-URL": api_url + CERTIFICATE_PATH,
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
            "User-Agent": "PayPal/AUHD-214.0-58180264",
        }
        return httpx.Request("POST", url, content=body, headers=headers)

    return compose
