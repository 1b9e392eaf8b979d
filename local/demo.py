"""`make demo`: a story told step by step; it fails at the first step that is not right.

A client pays a month, and it passes. Then a payment whose PSP never answered settles by itself.
"""

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
OTHER_CLIENT = "otieno-7"
WAIT_SECONDS = 30
MONTH_AND_A_DAY_SECONDS = 32 * 24 * 3600
MINUTE_AND_A_HALF_SECONDS = 90


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
        starting = asyncio.create_task(system.start())
        try:
            described = await asyncio.shield(starting)
            async with httpx.AsyncClient(timeout=30) as http:
                await Story(described, http).tell()
        except StoryError as error:
            _tell(f"\nWRONG: {error}\nThe log is in {directory / 'log.txt'}.")
            return 1
        finally:
            await asyncio.wait({starting})  # what is half started can't be stopped
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
        lost = await self._psp_never_answers()
        lost = await self._reconcile_finishes_it(lost)
        await self._client_pays(lost, OTHER_CLIENT)
        await self._settles_by_itself(lost)

    async def _nobody_has_paid(self) -> None:
        _step(f"{self._app_name} asks whether {CLIENT} has paid")
        check = await self._check()
        _expect(check, active=False, reason="never_subscribed")

    async def _app_starts_a_payment(self) -> dict[str, Any]:
        _step(f"{self._app_name} starts a payment for the plan {self._plan}, twice with one key")
        first = await self._start(CLIENT, "the-first-month")
        second = await self._start(CLIENT, "the-first-month")
        payment: dict[str, Any] = first.json()
        _expect(payment, status="requires_action", amount=150_000, currency="KES")
        if first.status_code != 201 or second.content != first.content:
            raise StoryError("the second answer is not the first one")
        _tell(f"   one payment, {payment['id']}; the client can pay at its next_action.url")
        return payment

    async def _client_pays(self, payment: dict[str, Any], client: str = CLIENT) -> None:
        _step(f"{client} opens the checkout page and presses Pay")
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
        paid = await self._payment(payment["id"])
        _expect(paid, status="succeeded", subscription_id=check["subscription_id"])

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
        if len(charges) != 1 or counted != {"status": "succeeded", "periods": 1, "events": 2}:
            raise StoryError(f"not once: {len(charges)} charges, {counted}")
        _tell(f"   {len(events)} events delivered again: one charge, one period, as before")

    async def _a_month_passes(self) -> None:
        _step("A month and a day pass. Nothing has to run for the paid time to be over")
        await self._pass_time(MONTH_AND_A_DAY_SECONDS)
        check = await self._check()
        _expect(check, active=False, reason="expired", source="database")

    async def _psp_never_answers(self) -> dict[str, Any]:
        _step(f"{OTHER_CLIENT} is to pay. Stripe opens the page and never answers: a timeout")
        await self._break({"timeout_after_charge": True, "next": {"timeout_after_charge": 1}})
        answer = await self._start(OTHER_CLIENT, "an-unlucky-month")
        if answer.status_code != 202:
            raise StoryError(f"an unknown outcome was answered {answer.status_code}")
        payment: dict[str, Any] = answer.json()
        _expect(payment, status="pending", next_action=None)
        _tell("   answered 202: pending. Neither paid nor failed, because nobody knows")
        return payment

    async def _reconcile_finishes_it(self, payment: dict[str, Any]) -> dict[str, Any]:
        _step("A minute passes: the timer payments/reconcile asks Stripe again, under the same key")
        await self._pass_time(MINUTE_AND_A_HALF_SECONDS)

        async def read() -> dict[str, Any]:
            return await self._payment(payment["id"])

        known = await self._until(read, status="requires_action")
        await self._break({"lost": True})
        _tell("   Stripe knows the key and opens no second page: the payment can be paid now")
        return known

    async def _settles_by_itself(self, payment: dict[str, Any]) -> None:
        _step("Stripe's webhook about it is lost. Minutes pass, and reconcile settles the payment")
        for _ in range(3):
            await self._pass_time(MINUTE_AND_A_HALF_SECONDS)
        database_url = self._described["database_url"]

        async def rows() -> dict[str, Any]:
            return await asyncio.to_thread(_rows_of, database_url, payment["id"])

        await self._until(rows, status="succeeded", periods=1, events=2)
        check = await self._check(OTHER_CLIENT)
        _expect(check, active=True, reason="paid")
        told = await self._payment(payment["id"])
        for moment in told["timeline"]:
            _tell(f"   {moment['at'][:19]}  {moment['what']:24} by {moment['by']}")
        charges = (await self._psp("GET", "/_standin/ledger"))["charges"]
        if len(charges) != 2:
            raise StoryError(f"two payments, {len(charges)} charges")
        _tell("   charged once, granted once")

    async def _start(self, client: str, key: str) -> httpx.Response:
        request = {"client_id": client, "plan": self._plan, "currency": "KES"}
        headers = {**self._app, "Idempotency-Key": key}
        url = f"{self._described['rest_url']}/payments"
        return await self._http.post(url, json=request, headers=headers)

    async def _payment(self, payment_id: str) -> dict[str, Any]:
        url = f"{self._described['rest_url']}/payments/{payment_id}"
        payment: dict[str, Any] = (await self._http.get(url, headers=self._app)).json()
        return payment

    async def _pass_time(self, seconds: int) -> None:
        answer = await self._http.post(
            f"{self._described['rest_url']}/_local/clock",
            json={"advance_seconds": seconds},
            headers={"Authorization": f"Bearer {self._described['admin_key']}"},
        )
        if answer.status_code != 200:
            raise StoryError(f"the clock answered {answer.status_code}")

    async def _break(self, faults: dict[str, Any]) -> None:
        """Sets the stand-in's switches; all others are off."""
        url = f"{self._described['psp_url']}/_standin/faults"
        (await self._http.post(url, json=faults)).raise_for_status()

    async def _check(self, client: str = CLIENT) -> dict[str, Any]:
        url = f"{self._described['rest_url']}/subscriptions/{client}"
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


def _rows_of(database_url: str, payment_id: str) -> dict[str, Any]:
    """What stands of a payment: its state, how many periods it gave, how many events tell of it."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            """SELECT status,
                      (SELECT count(*) FROM subscription_periods WHERE payment_id = %(id)s),
                      (SELECT count(*) FROM outbox WHERE aggregate_id = %(id)s)
               FROM payments WHERE id = %(id)s""",
            {"id": payment_id},
        ).fetchone()
    assert row is not None
    return {"status": row[0], "periods": row[1], "events": row[2]}


def _expect(answer: dict[str, Any], **expected: object) -> None:
    for name, value in expected.items():
        if answer.get(name) != value:
            raise StoryError(f"{name} is {answer.get(name)!r}, expected {value!r}: {answer}")


_steps = iter(range(1, 100))


def _step(text: str) -> None:
    _tell(f"\n{next(_steps)}. {text}")


def _tell(text: str) -> None:
    print(text, file=sys.stdout, flush=True)
