"""A stand-in as a client, a bank or a bystander has it in hand: its control, over HTTP."""

from collections.abc import Mapping
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Line = dict[str, Any]
"""A payment in the stand-in's ledger."""


class Watched:
    """A stand-in's app that counts what the API is asked, and can be made to say other words.

    What is read without credentials (a page, a certificate) is no question about a payment.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.asked: list[str] = []
        self.instead: tuple[bytes, bytes] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if "/_standin" not in path:
            names = {name for name, _value in scope["headers"]}
            if scope["method"] != "GET" or b"authorization" in names:
                self.asked.append(f"{scope['method']} {path}")
        await self._app(scope, receive, self._changed(send) if self.instead else send)

    def _changed(self, send: Send) -> Send:
        started: list[Message] = []
        body = b""

        async def send_changed(message: Message) -> None:
            nonlocal body
            if message["type"] == "http.response.start":
                started.append(message)
                return
            body += message.get("body", b"")
            if message.get("more_body") or self.instead is None:
                return
            said = body.replace(*self.instead).replace(
                *(w.replace(b":", b": ") for w in self.instead)
            )
            length = (b"content-length", str(len(said)).encode())
            headers = [pair for pair in started[0]["headers"] if pair[0] != length[0]]
            await send({**started[0], "headers": [*headers, length]})
            await send({"type": "http.response.body", "body": said})

        return send_changed


class Driver:
    """What happens at the PSP, and what it remembers: the judge."""

    def __init__(self, url: str, browser: httpx.Client) -> None:
        self._url = url
        self._browser = browser
        self._loses = False
        self._lost: set[str] = set()

    def follow(self, action: Mapping[str, Any]) -> None:
        """Goes where a payment's next action sends its client."""
        match action["type"]:
            case "redirect":
                answer = self._browser.get(action["url"])
            case "form_post":
                answer = self._browser.post(action["url"], data=action["fields"])
            case _:
                return  # the client is there already
        assert answer.status_code < 400, answer.text

    def happen(self, psp_reference: str, verb: str, **details: Any) -> httpx.Response:
        """Something happens to a payment, or can't."""
        url = f"{self._url}/_standin/payments/{psp_reference}/{verb}"
        answer = self._browser.post(url, json=details)
        assert answer.status_code < 500, answer.text
        return answer

    def do(self, psp_reference: str, verb: str, **details: Any) -> None:
        """Something happens to a payment."""
        answer = self.happen(psp_reference, verb, **details)
        assert answer.status_code < 400, answer.text

    def faults(self, **switches: Any) -> None:
        """Sets the switches; none resets them."""
        if self._loses:
            self.waiting()
        self._loses = bool(switches.get("lost"))
        answer = self._browser.post(f"{self._url}/_standin/faults", json=switches)
        assert answer.status_code == 200, answer.text

    def waiting(self) -> list[dict[str, Any]]:
        """The events that are still to be taken; those that are lost never will be."""
        events: list[dict[str, Any]] = self.ledger()["events"]
        untaken = [event for event in events if event["delivered_at"] is None]
        if self._loses:
            self._lost.update(event["id"] for event in untaken if not event["attempts"])
        return [event for event in untaken if event["id"] not in self._lost]

    def resend(self, event_id: str) -> int:
        """Tells an event again; how it was answered."""
        answer = self._browser.post(f"{self._url}/_standin/events/{event_id}/resend")
        status: int = answer.raise_for_status().json()["status"]
        return status

    def ledger(self) -> dict[str, Any]:
        """All that the PSP remembers."""
        ledger: dict[str, Any] = self._browser.get(f"{self._url}/_standin/ledger").json()
        return ledger

    def lines(self, payment_id: str = "") -> list[Line]:
        """Its payments: those under a payment's id of ours, or all."""
        ours = payment_id.removeprefix("pay_")
        lines: list[Line] = self.ledger()["payments"]
        return [line for line in lines if ours in (line["reference"] or "")]
