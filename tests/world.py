"""A small world for tests: an app with a plan, a clock to move, and a PSP that plays a script."""

import base64
import importlib.util
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg

from local.redis_clock import RedisClock
from local.seed import PLAN, PRODUCT, Seed, seed
from tests.scripted_psp import ScriptedPsp
from tollgate.domain.keyring import Keyring
from tollgate.domain.money import Money
from tollgate.http import endpoint as http
from tollgate.operations.context import Context
from tollgate.settings import Settings
from tollgate.storage import admissions

START = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
MONTHLY = Money(150_000, "KES")
RETURN_ORIGIN = "https://shop.example"


@dataclass(frozen=True)
class Stores:
    """Where a test's database and Redis are; `owner_url` may do what the service may not."""

    owner_url: str
    service_url: str
    redis_url: str


class World:
    """The functions' operations over real stores, called as the gateway calls them."""

    def __init__(self, stores: Stores) -> None:
        admissions.forget()
        self.stores = stores
        self.now = START
        self.psp = ScriptedPsp()
        self.seed: Seed = seed(stores.owner_url, START, [RETURN_ORIGIN])
        self.app, self.other_app = self.seed.apps
        self.plan, self.product = PLAN, PRODUCT
        self.settings = Settings(
            livemode=False,
            database_url=stores.service_url,
            redis_url=stores.redis_url,
            cache_secret=b"test",
            public_url="https://functions.example/api/v1/web/fn-test",
            access_token_keys=Keyring({"a1": b"a" * 32}),
            entitlement_keys=Keyring({"e1": b"e" * 32}),
            pay_link_keys=Keyring({"p1": b"p" * 32}),
            field_keys=Keyring({"f1": b"f" * 32}),
        )
        self.context = self.new_context()
        self._redis_clock = RedisClock(stores.redis_url, lambda _line: None)
        self._container = threading.local()

    def new_context(self, **changed: Any) -> Context:
        """Another container's means, with other settings where a test wants them."""
        return Context.open(
            replace(self.settings, **changed),
            now=lambda: self.now,
            open_psp=lambda name, settings, tokens: self.psp,
        )

    def pass_time(self, **span: float) -> None:
        """Moves the clock; what Redis holds, if it is there, ages along."""
        passed = timedelta(**span)
        self.now += passed
        self._redis_clock.advance(passed.total_seconds())

    def call(
        self,
        function: str,
        *,
        method: str = "POST",
        path: str = "",
        query: str = "",
        body: Any = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        context: Context | None = None,
    ) -> "Answer":
        """One call of a deployed function's own `main`, such as "payments/create".

        With the app's API key, or `key`; `body` is JSON or bytes; `context` is the container's.
        """
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        event = {
            "http": {
                "method": method,
                "path": path,
                "queryString": query,
                "headers": {"authorization": f"Bearer {key or self.app.key}", **(headers or {})},
                "body": base64.b64encode(raw).decode(),
                "isBase64Encoded": True,
            }
        }
        self._container.context = context or self.context
        return Answer(entry(function)(event))

    def run_timer(self, function: str, context: Context | None = None) -> dict[str, Any]:
        """One firing of a timer, such as "payments/reconcile"; what it reports."""
        self._container.context = context or self.context
        return entry(function)({})

    def container_context(self) -> Context:
        """What stands in for the container's own Context while this world is open."""
        context: Context = self._container.context
        return context

    def rows(
        self, sql: str, *parameters: object, as_service: bool = False
    ) -> list[tuple[Any, ...]]:
        """What the owner of the tables sees, or what the functions' own login does."""
        url = self.stores.service_url if as_service else self.stores.owner_url
        with psycopg.connect(url) as connection:
            return connection.execute(sql.encode(), parameters).fetchall()


@dataclass(frozen=True)
class Answer:
    """What a function answered."""

    raw: dict[str, Any]

    @property
    def status(self) -> int:
        """The HTTP status."""
        status: int = self.raw["statusCode"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        """The headers."""
        headers: dict[str, str] = self.raw["headers"]
        return headers

    @property
    def body(self) -> str:
        """The body as it is sent."""
        body: str = self.raw["body"]
        return body

    @property
    def json(self) -> dict[str, Any]:
        """The body, read."""
        value: dict[str, Any] = json.loads(self.body)
        return value


@cache
def entry(function: str) -> http.Main:
    """The `main` of a function, from its entry file."""
    file = Path(__file__).parent.parent / "packages" / function / "__main__.py"
    spec = importlib.util.spec_from_file_location(function.replace("/", "_"), file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    main: http.Main = module.main
    return main


@contextmanager
def world_over(stores: Stores) -> Iterator[World]:
    """A world that closes its connections."""
    world = World(stores)
    try:
        with (
            patch("tollgate.http.endpoint.container_context", world.container_context),
            patch("tollgate.jobs.container_context", world.container_context),
        ):
            yield world
    finally:
        world.context.database.close()
        world.context.cache.close()
