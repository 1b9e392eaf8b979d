"""The whole system, served once for these tests: functions in their own processes, over HTTP."""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from local.postgres import free_port
from local.system import System
from tests.conftest import Cluster, new_stores
from tests.world import Stores

START_TIMEOUT_SECONDS = 180


class Served:
    """A running system, and the calls that journeys make of it."""

    def __init__(
        self, described: dict[str, Any], environment: Mapping[str, str], log: Sequence[str]
    ) -> None:
        self.described = described
        self.environment = environment
        self.log = log
        self.rest_url: str = described["rest_url"]
        self.psp_url: str = described["psp_url"]
        self.http = httpx.Client(timeout=60)
        self.app = described["apps"][0]
        self.authorization = {"Authorization": f"Bearer {self.app['key']}"}

    def create(self, client_id: str, key: str | None = None, **more: Any) -> httpx.Response:
        """Starts a payment for the monthly plan."""
        return self.http.post(
            f"{self.rest_url}/payments",
            json={"client_id": client_id, "plan": "monthly", "currency": "KES", **more},
            headers={**self.authorization, "Idempotency-Key": key or f"key-of-{client_id}"},
        )

    def press(self, payment: dict[str, Any], button: str) -> httpx.Response:
        """Presses pay, decline or leave on the payment's checkout page."""
        return self.http.post(f"{payment['next_action']['url']}/{button}")

    def check(self, client_id: str) -> dict[str, Any]:
        """Has this client paid?"""
        url = f"{self.rest_url}/subscriptions/{client_id}"
        answer: dict[str, Any] = self.http.get(url, headers=self.authorization).json()
        return answer

    def payment(self, payment_id: str) -> dict[str, Any]:
        """One payment, read."""
        url = f"{self.rest_url}/payments/{payment_id}"
        answer: dict[str, Any] = self.http.get(url, headers=self.authorization).json()
        return answer

    def faults(self, **switches: Any) -> None:
        """Sets the stand-in's switches; none resets them."""
        self.http.post(f"{self.psp_url}/_standin/faults", json=switches).raise_for_status()

    def ledger(self) -> dict[str, Any]:
        """What the PSP itself remembers: the judge."""
        answer: dict[str, Any] = self.http.get(f"{self.psp_url}/_standin/ledger").json()
        return answer

    def charges(self, payment_id: str) -> list[dict[str, Any]]:
        """The charges of one payment, by the PSP's ledger."""
        found = self.ledger()["charges"]
        return [charge for charge in found if charge["metadata"].get("payment_id") == payment_id]

    @property
    def database_password(self) -> str:
        """Of the functions' own login."""
        return str(conninfo_to_dict(self.environment["DATABASE_URL"])["password"])

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What is in the database."""
        with psycopg.connect(self.described["database_url"]) as connection:
            return connection.execute(sql.encode(), parameters).fetchall()


@pytest.fixture(scope="session")
def system(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Everything but the stores, which are given to it, as DATABASE_URL and REDIS_URL do."""
    directory = tmp_path_factory.mktemp("system")
    with new_stores(cluster) as stores:
        yield from _serve(directory, stores)


@pytest.fixture
def served(system: Served) -> Iterator[Served]:
    """The one system of all these tests, which each leaves without faults."""
    yield system
    system.faults()


def _serve(directory: Path, stores: Stores) -> Iterator[Served]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    log: list[str] = []
    system = System(
        directory,
        free_pair(),
        print,
        log.append,
        database_url=stores.owner_url,
        redis_url=stores.redis_url,
    )

    def run(work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, loop)
        return future.result(START_TIMEOUT_SECONDS)

    try:
        run(system.start())
        described = json.loads(system.run_file.read_text())
        served = Served(described, system.environment, log)
        try:
            yield served
        finally:
            served.http.close()
    finally:
        run(system.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        print("\n".join(log[-200:]))


def free_pair() -> int:
    """A port such that it and the next one are free: the host's and the stand-in's."""
    while True:
        port = free_port()
        with socket.socket() as probe, contextlib.suppress(OSError, OverflowError):
            probe.bind(("127.0.0.1", port + 1))
            return port
