"""A Redis that holds what it should not, under the very names that are asked for."""

import itertools
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import redis

from tests.callers import id_of
from tests.world import World
from tollgate.domain.principal import unknown_key
from tollgate.domain.subscription import Dates
from tollgate.storage import access_cache, admissions
from tollgate.storage.cache import Cache
from tollgate.storage.subscriptions import ClientDates

CLIENTS = ("client-1", "client-2", "c")
NEVER = datetime(2099, 1, 1, tzinfo=UTC)


class WrongRedis:
    """Before each command another wrong: garbage, another deployment's values, other types."""

    def __init__(self, world: World) -> None:
        self._server = redis.Redis.from_url(world.stores.redis_url)
        self._stranger = Cache(world.stores.redis_url, b"of another deployment")
        keys = (world.seed.admin_key, *(app.key for app in world.seed.apps))
        self._key_ids = [id_of(key) for key in keys]
        self._clients = [(app.id, client) for app in world.seed.apps for client in CLIENTS]
        self._one_at_a_time = threading.Lock()
        self._turns = itertools.cycle((self._fill_with_garbage, self._forge, self._mistype))

    def spoil(self) -> None:
        """The next wrong, in the place of all that is there."""
        with self._one_at_a_time:
            next(self._turns)()

    def close(self) -> None:
        """Closes the connections."""
        self._server.close()
        self._stranger.close()

    def _names(self) -> Iterator[str]:
        yield from (f"key:{key_id}" for key_id in self._key_ids)
        yield from (f"access:{app_id}:{client_id}" for app_id, client_id in self._clients)

    def _fill_with_garbage(self) -> None:
        fields = ("value", "version", "proof", "app_id", "key_calls", "app_calls")
        garbage: dict[Any, Any] = dict.fromkeys(fields, b"\x00soon\xff" * 20)
        with self._server.pipeline() as batch:
            batch.flushall()
            for name in self._names():
                batch.hset(name, mapping=garbage)
                batch.set(f"calls:{name}", "soon")
            batch.execute()

    def _forge(self) -> None:
        """Every key is revoked and every client has paid for ever, says who can't sign it."""
        self._server.flushall()
        for key_id in self._key_ids:
            record = admissions._to_json(unknown_key(key_id))
            self._stranger.put(f"key:{key_id}", {"key": record}, read_at=time.time())
        paid = (Dates("sub_1", "pro", "monthly", paid_through=NEVER),)
        for app_id, client_id in self._clients:
            known = ClientDates(version=1_000_000, dates=paid, read_at=time.time())
            access_cache.put_dates(self._stranger, app_id, client_id, known)

    def _mistype(self) -> None:
        with self._server.pipeline() as batch:
            batch.flushall()
            for name in self._names():
                batch.rpush(name, "a list")
                batch.rpush(f"calls:{name}", "a list")
            batch.execute()
