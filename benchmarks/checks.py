"""What a paid-check costs in a warm container: with Redis, and without.

    PYTHONPATH=. .venv/bin/python benchmarks/checks.py [calls of each]

Each container is a process of its own on a core of its own, as on the platform, and calls the
function's own `main` with an API key, one call after the other: authentication, rate limits, dates,
the signed entitlement, the log line. They take turns, so that a busy machine slows all alike.

Redis is once there; once its port refuses; once it takes connections and says nothing. The answers
must be the same. What PostgreSQL and one ping of Redis take by themselves stands beside it.
"""

import contextlib
import io
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median, quantiles
from typing import Any

import psycopg
import redis

from benchmarks.served import check_container, pay, served
from benchmarks.turns import Caller, Turn
from tests.world import World

ROUNDS = 10
REFUSED = "redis://127.0.0.1:1/0"
OF_THE_INSTANT = ("as_of", "source", "entitlement")


def main(calls: int) -> None:
    """Measures, prints the figures, and compares the answers."""
    with contextlib.ExitStack() as stack:
        world = stack.enter_context(served(durable=True))
        with contextlib.redirect_stdout(io.StringIO()):
            pay(world)
        silent = f"redis://127.0.0.1:{stack.enter_context(_black_hole())}/0"
        containers = {
            "Redis is there": stack.enter_context(check_container(world)),
            "Redis refuses": stack.enter_context(check_container(world, REDIS_URL=REFUSED)),
            "Redis is silent": stack.enter_context(check_container(world, REDIS_URL=silent)),
        }
        turns = _measured(containers, calls)
        print(f"{'':18}   calls/s   p50 µs   p95 µs   µs of processor")
        for name, (turn, source) in turns.items():
            _print(name, turn, source)
        _print_parts(world, calls)
    answers = [_lasting(turn.body) for turn, _ in turns.values()]
    assert all(each == answers[0] for each in answers), answers
    print("the answers are the same")


def _measured(containers: dict[str, Caller], calls: int) -> dict[str, tuple[Turn, str]]:
    for container in containers.values():
        container.call(200)
    rounds = [
        {name: container.call(calls // ROUNDS) for name, container in containers.items()}
        for _ in range(ROUNDS)
    ]
    return {name: _together([each[name] for each in rounds]) for name in containers}


def _together(turns: list[Turn]) -> tuple[Turn, str]:
    """All turns as one, and where the answers came from."""
    sources = {json.loads(turn.body)["source"] for turn in turns}
    seconds = [each for turn in turns for each in turn.seconds]
    processor = sum(turn.processor_seconds for turn in turns)
    return Turn(seconds, processor, turns[-1].body), ", ".join(sorted(sources))


def _print(name: str, turn: Turn, source: str) -> None:
    calls, p95 = len(turn.seconds), quantiles(turn.seconds, n=20)[-1]
    processor = turn.processor_seconds / calls
    print(
        f"{name:18} {calls / sum(turn.seconds):9,.0f} {median(turn.seconds) * 1e6:8.0f}"
        f" {p95 * 1e6:8.0f} {processor * 1e6:8.0f}   from the {source}"
    )


def _lasting(body: str) -> dict[str, Any]:
    """What every answer about these dates says, whenever and from wherever it is given."""
    told = json.loads(body)
    assert told["active"] and told["entitlement"]
    return {name: value for name, value in told.items() if name not in OF_THE_INSTANT}


def _print_parts(world: World, calls: int) -> None:
    with (
        redis.Redis.from_url(world.stores.redis_url, protocol=2) as client,
        psycopg.connect(world.stores.service_url, autocommit=True) as connection,
    ):
        ways: dict[str, Callable[[], object]] = {
            "a ping of Redis": client.ping,
            "SELECT 1": lambda: connection.execute("SELECT 1").fetchall(),
        }
        for name, way in ways.items():
            spent = []
            for _ in range(calls // ROUNDS):
                started = time.perf_counter()
                way()
                spent.append(time.perf_counter() - started)
            print(f"{name:18} {'':9} {median(spent) * 1e6:8.0f}")


@contextlib.contextmanager
def _black_hole() -> Iterator[int]:
    """A port where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
