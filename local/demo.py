"""`make demo`: one story, told step by step; it fails at the first step that is not right."""

import asyncio
import re
import shutil
import sys
from collections.abc import Awaitable, Callable
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import psycopg

from local.system import System

CLIENT = "wanjiku-42"
WAIT_SECONDS = 20
MONTH_AND_A_DAY_SECONDS = 32 * 24 * 3600


class StoryError(Exception):
    """A step did not end as the story tells it."""


async def demo(directory: Path, port: int) -> int:
    """Runs the story on a fresh system of its own; 0 when every step was right."""
    directory = directory / "demo"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    with (directory / "log.txt").open("w") as log:
        # servers of its own, whatever DATABASE_URL says
        system = System(directory, port, _tell, lambda line: print(line, file=log, flush=True))
        try:
            described = await system.start()
            async with httpx.AsyncClient(timeout=30) as http:
                await Story(described, http).tell()
        except StoryError as error:
            _tell(f"\nWRONG: {error}\nThe log is in {directory / 'log.txt'}.")
            return 1
        finally:
            await system.stop()
    _tell("\nEvery step was right.")
    return 0


class Story:
    """The story's client, app and PSP, all over HTTP, as they would be."""

    def __init__(self, described: dict[str, Any], http: httpx.AsyncClient) -> None:
        self._described = described
        self._http = http
        app = described["apps"][0]
        self._app_name, self._plan = app["name"], app["plans"][0]
        self._app = {"Authorization": f"Bearer {app['key']}"}

    async def tell(self) -> None:
        """From the first question to the end of the paid month."""
        await self._nobody_has_paid()
        payment = await self._app_starts_a_payment()
        await self._client_pays(payment)
        await self._webhook_activates(payment)
        await self._webhook_arrives_again(payment)
        await self._a_month_passes()

    async def _nobody_has_paid(self) -> None:
        _step(f"{self._app_name} asks whether {CLIENT} has paid")
        check = await self._check()
        _expect(check, active=False, reason="never_subscribed")

    async def _app_starts_a_payment(self) -> dict[str, Any]:
        _step(f"{self._app_name} starts a payment for the plan {self._plan}, twice with one key")
        request = {"client_id": CLIENT, "plan": self._plan, "currency": "KES"}
        headers = {**self._app, "Idempotency-Key": "the-first-month"}
        url = f"{self._described['rest_url']}/payments"
        first = await self._http.post(url, json=request, headers=headers)
        second = await self._http.post(url, json=request, headers=headers)
        payment: dict[str, Any] = first.json()
        _expect(payment, status="requires_action", amount=150_000, currency="KES")
        if first.status_code != 201 or second.content != first.content:
            raise StoryError("the second answer is not the first one")
        _tell(f"   one payment, {payment['id']}; the client can pay at its next_action.url")
        return payment

    async def _client_pays(self, payment: dict[str, Any]) -> None:
        _step(f"{CLIENT} opens the checkout page and presses Pay")
        page = await self._http.get(payment["next_action"]["url"])
        sent = await self._http.post(_pay_button(page))
        back = sent.headers.get("location", "")
        if sent.status_code != 303 or payment["id"] not in back:
            raise StoryError(f"the page answered {sent.status_code}, not a way back")
        _tell("   charged once; the browser is sent back")

    async def _webhook_activates(self, payment: dict[str, Any]) -> None:
        _step("Stripe's webhook arrives: the payment succeeds, the subscription is active")
        check = await self._until(self._check, active=True, reason="paid", source="cache")
        _tell(f"   paid through {check['paid_through']}")
        url = f"{self._described['rest_url']}/payments/{payment['id']}"
        answer = await self._http.get(url, headers=self._app)
        _expect(answer.json(), status="succeeded", subscription_id=check["subscription_id"])

    async def _webhook_arrives_again(self, payment: dict[str, Any]) -> None:
        _step("The same webhooks arrive again, last first, and change nothing")
        before = await self._check()
        events = (await self._psp("GET", "/_standin/ledger"))["events"]
        for event in reversed(events):
            await self._psp("POST", f"/_standin/events/{event['id']}/resend")
        after = await self._check()
        _expect(after, active=True, paid_through=before["paid_through"])
        charges = (await self._psp("GET", "/_standin/ledger"))["charges"]
        counted = await asyncio.to_thread(_rows_of, self._described["database_url"], payment["id"])
        if len(charges) != 1 or counted != {"periods": 1, "events": 2}:
            raise StoryError(f"not once: {len(charges)} charges, {counted}")
        _tell(f"   {len(events)} events delivered again: one charge, one period, as before")

    async def _a_month_passes(self) -> None:
        _step("A month and a day pass, and no timer runs")
        answer = await self._http.post(
            f"{self._described['rest_url']}/_local/clock",
            json={"advance_seconds": MONTH_AND_A_DAY_SECONDS},
            headers={"Authorization": f"Bearer {self._described['admin_key']}"},
        )
        if answer.status_code != 200:
            raise StoryError(f"the clock answered {answer.status_code}")
        check = await self._check()
        _expect(check, active=False, reason="expired", source="database")

    async def _check(self) -> dict[str, Any]:
        url = f"{self._described['rest_url']}/subscriptions/{CLIENT}"
        answer = await self._http.get(url, headers=self._app)
        check: dict[str, Any] = answer.json()
        _tell(f"   check: active={check.get('active')} reason={check.get('reason')}")
        return check

    async def _psp(self, method: str, path: str) -> dict[str, Any]:
        answer = await self._http.request(method, self._described["psp_url"] + path)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json() if answer.content else {}
        return body

    async def _until(
        self, ask: Callable[[], Awaitable[dict[str, Any]]], **expected: object
    ) -> dict[str, Any]:
        """Asks until the answer is as expected; a webhook takes a moment to arrive."""
        for _ in range(WAIT_SECONDS * 4):
            answer = await ask()
            if all(answer.get(name) == value for name, value in expected.items()):
                break
            await asyncio.sleep(0.25)
        _expect(answer, **expected)
        return answer


def _pay_button(page: httpx.Response) -> str:
    """Where the page's form named Pay is sent to."""
    forms = re.findall(r"<form[^>]*action=\"([^\"]+)\".*?</form>", page.text, re.DOTALL)
    for action in forms:
        if action.rstrip("/").endswith("pay"):
            return urljoin(str(page.url), unescape(action))
    raise StoryError("the checkout page has no button to pay")


def _rows_of(database_url: str, payment_id: str) -> dict[str, int]:
    """How many periods a payment gave, and how many events tell of it."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            """SELECT (SELECT count(*) FROM subscription_periods WHERE payment_id = %(id)s),
                      (SELECT count(*) FROM outbox WHERE aggregate_id = %(id)s)""",
            {"id": payment_id},
        ).fetchone()
    assert row is not None
    return {"periods": row[0], "events": row[1]}


def _expect(answer: dict[str, Any], **expected: object) -> None:
    for name, value in expected.items():
        if answer.get(name) != value:
            raise StoryError(f"{name} is {answer.get(name)!r}, expected {value!r}: {answer}")


_steps = iter(range(1, 100))


def _step(text: str) -> None:
    _tell(f"\n{next(_steps)}. {text}")


def _tell(text: str) -> None:
    print(text, file=sys.stdout, flush=True)
