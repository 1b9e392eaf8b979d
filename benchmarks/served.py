"""The functions over real stores of their own, for a measurement."""

import base64
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.turns import Caller
from local.databases import OWNER, Databases, seeing_all
from tests.world import Stores, World, world_over
from tollgate.domain.keyring import Keyring
from tollgate.domain.payment import PaymentStatus

CLIENT = "client-1"


@contextlib.contextmanager
def served(*, durable: bool) -> Iterator[World]:
    """Two apps over an embedded PostgreSQL, which writes through to the disk or not, and Valkey."""
    directory = Path(tempfile.mkdtemp(prefix="tollgate-benchmark-"))
    directory.chmod(0o755)
    databases = Databases(directory, durable=durable)
    try:
        urls = databases.start_postgres(None, print)
        redis_url = databases.start_redis(None, print)
        assert urls.superuser is not None
        with psycopg.connect(urls.superuser, autocommit=True) as superuser:
            superuser.execute(f"GRANT pg_checkpoint TO {OWNER}".encode())
        with world_over(Stores(seeing_all(urls.owner), urls.service, redis_url)) as world:
            yield world
    finally:
        databases.stop()
        shutil.rmtree(directory)


def pay(world: World) -> None:
    """CLIENT pays a month, by the clock that other processes have too."""
    world.now = datetime.now(UTC)
    request, key = {"client_id": CLIENT, "plan": world.plan}, {"idempotency-key": "k"}
    world.call("payments/create", body=request, headers=key)
    world.psp.status = PaymentStatus.SUCCEEDED
    assert world.call("subscriptions/check", method="GET", path=f"/{CLIENT}").json["active"]


def check_container(world: World, **changed: str) -> Caller:
    """A container of the paid-check, asked about CLIENT; its settings, but for those changed."""
    command = [sys.executable, "-m", "benchmarks.check_container", world.app.key, CLIENT]
    return Caller(command, {**_environment(world), **changed})


def _environment(world: World) -> dict[str, str]:
    settings = world.settings
    assert settings.entitlement_keys is not None
    return {
        "TOLLGATE_MODE": "test",
        "TOLLGATE_URL": settings.public_url,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "CACHE_SECRET": settings.cache_secret.decode(),
        "ACCESS_TOKEN_KEYS": _written(settings.access_token_keys),
        "ENTITLEMENT_KEYS": _written(settings.entitlement_keys),
    }


def _written(ring: Keyring) -> str:
    pairs = ring.keys.items()
    return ",".join(f"{name}:{base64.urlsafe_b64encode(key).decode()}" for name, key in pairs)
