"""Fifty creates a second for a minute, at a PSP that takes 200 ms: none doubled, none lost.

    PYTHONPATH=. .venv/bin/python benchmarks/load.py [seconds] [creates a second]

Each of the containers is a process of its own, as on the platform, and calls the function's own
`main`, which calls Stripe's stand-in over HTTP. Own overhead is what a create takes beyond the call
to the PSP. At the end the stand-in's books are compared with ours.
"""

import asyncio
import contextlib
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from unittest.mock import patch

import httpx
import psycopg
import uvicorn

from benchmarks.served import served
from local.clock import Clock
from local.postgres import free_port
from local.stripe import StripeStandIn
from tests.world import World, entry
from tollgate.operations.context import Context
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

CONTAINERS = 16
PSP_SECONDS = 0.2
SECRET_KEY = "sk_test_of_the_benchmark"


@dataclass(frozen=True)
class Plan:
    """What each container does: its share of the creates, at their instants."""

    url: str
    settings: Settings
    key: str
    start_at: float
    seconds: int
    rate: int


def main(seconds: int, rate: int) -> None:
    """Runs the load, prints latencies in milliseconds, and compares the books."""
    with served(durable=True) as world, _stand_in() as url:
        settings = _settings(world, url)
        plan = Plan(url, settings, world.app.key, time.time() + 5, seconds, rate)
        spent = _run(plan)
        totals, own = [total for total, _ in spent], [total - psp for total, psp in spent]
        for name, values in (("a create", totals), ("own overhead", own)):
            p50, p95 = median(values) * 1e3, quantiles(values, n=20)[-1] * 1e3
            print(f"{name:14} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms   of {len(values)}")
        _compare(world, url, len(spent))


def _settings(world: World, url: str) -> Settings:
    given = vars(world.settings)
    psp_values = {"STRIPE_SECRET_KEY": SECRET_KEY, "STRIPE_API_URL": url}
    return Settings(**{**given, "psp_values": psp_values})


def _run(plan: Plan) -> list[tuple[float, float]]:
    context = multiprocessing.get_context("spawn")
    ends, containers = [], []
    for number in range(CONTAINERS):
        here, there = context.Pipe()
        process = context.Process(target=_container, args=(plan, number, there))
        process.start()
        ends.append(here)
        containers.append(process)
    spent = [item for end in ends for item in end.recv()]
    for process in containers:
        process.join()
    return spent


def _container(plan: Plan, number: int, there: Connection) -> None:
    """Calls at the instants that are its own; sends seconds in all and at the PSP, of each call."""
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - the functions' log, for good
    context, asked = Context.open(plan.settings), list[float]()
    start = Stripe.start

    def timed(self: Stripe, order: object) -> object:
        began = time.perf_counter()
        try:
            return start(self, order)  # type: ignore[arg-type]
        finally:
            asked.append(time.perf_counter() - began)

    spent = []
    with (
        patch("tollgate.http.endpoint.container_context", lambda: context),
        patch.object(Stripe, "start", timed),
    ):
        _call(plan, f"warm-{number}")
        for create in range(number, plan.seconds * plan.rate, CONTAINERS):
            time.sleep(max(0, plan.start_at + create / plan.rate - time.time()))
            began = time.perf_counter()
            _call(plan, str(create))
            spent.append((time.perf_counter() - began, asked[-1]))
    there.send(spent)


def _call(plan: Plan, name: str) -> None:
    event = {
        "http": {
            "method": "POST",
            "path": "",
            "queryString": "",
            "headers": {"authorization": f"Bearer {plan.key}", "idempotency-key": name},
            "body": f'{{"client_id": "client-{name}", "plan": "monthly"}}',
            "isBase64Encoded": False,
        }
    }
    answer = entry("payments/create")(event)
    assert answer["statusCode"] == 201, answer


def _compare(world: World, url: str, creates: int) -> None:
    """Each create has one session at the stand-in, and each session its payment here."""
    ledger = httpx.get(f"{url}/_standin/ledger").raise_for_status().json()
    there = sorted(session["id"] for session in ledger["sessions"])
    with psycopg.connect(world.stores.owner_url) as connection:
        rows = connection.execute("SELECT psp_reference, status FROM payments").fetchall()
    here = sorted(reference for reference, _ in rows)
    doubled, lost = len(set(there) - set(here)), creates + CONTAINERS - len(here)
    odd = [status for _, status in rows if status != "requires_action"]
    print(f"{len(there)} at the PSP, {len(here)} here: {doubled} doubled, {lost} lost")
    assert there == here and not lost and not odd


@contextlib.contextmanager
def _stand_in() -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(url, port))
    process.start()
    try:
        _until_it_answers(url)
        faults = {"latency_seconds": PSP_SECONDS}
        httpx.post(f"{url}/_standin/faults", json=faults).raise_for_status()
        yield url
    finally:
        process.terminate()
        process.join()


def _until_it_answers(url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"{url}/_standin/ledger").raise_for_status()
            return
        time.sleep(0.05)
    raise AssertionError("the stand-in does not start")


def _serve(url: str, port: int) -> None:
    stand_in = StripeStandIn(
        clock=Clock(),
        secret_key=SECRET_KEY,
        webhook_secret="whsec_of_the_benchmark",
        webhook_url=url,
        base_url=url,
        state_file=None,
        log=lambda _line: None,
    )
    config = uvicorn.Config(stand_in.app, port=port, log_config=None, lifespan="off")
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(*(arguments + [60, 50][len(arguments) :]))
