"""The paid-check beside dj-stripe with Django REST framework, on one PostgreSQL, in one run.

    PYTHONPATH=. .venv/bin/python benchmarks/peer.py [clients] [warm calls of each] [cold starts]

"Has this client an active subscription?", asked with an API key, among so many clients who have
(100,000 unless told otherwise), of two products that are set up for production:

- Tollgate: the function as it is deployed, unpacked, its bytecode compiled beforehand;
- the peer: a view of its own (benchmarks/peer/), with token authentication, dj-stripe's models and
  indexes, connections kept, JSON alone, as little else as it starts with. Its calls are counted in
  the same Redis, as Tollgate's are; beside it the same without counting.

Each is its own `main` in a process of its own, with no server and no network before it: the same
interpreter, without `site`, .pyc there. They take turns, so that a busy machine slows all alike.

Cold is from the process's start until the first answer is there, the connections too. It and warm
are measured for a client of whom Redis knows, because the check was asked about it in the last
minute, and for one of whom it does not: Tollgate then reads PostgreSQL, and after a cold start with
an empty Redis the key as well. The peer always reads PostgreSQL.

A ratio is the median of those of the rounds: how many times as long the peer takes. The goals are
for a client known to Redis, beside the peer that counts calls.
"""

import contextlib
import hashlib
import io
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import psycopg
import redis
from psycopg.conninfo import make_conninfo

from benchmarks.served import CLIENT, _environment, pay, served
from benchmarks.sweeps import fill
from benchmarks.turns import Caller, Turn
from local.host.bundle import Builder
from local.host.project import Function
from tests.world import World

PROJECT = Path(__file__).parent.parent
HERE = Path(__file__).parent / "peer"
INSTALLED = PROJECT / ".local" / "peer"

ROUNDS = 20
WARM_UP = 200
NEVER_PAID = "client-who-never-paid"
GOALS = {"warm": 4, "cold": 3}


@dataclass(frozen=True)
class Side:
    """How a container of it is started, but for whom it is asked about."""

    command: list[str]
    environment: Mapping[str, str]

    def container(self, asked: str) -> "Container":
        """One that has answered once; `asked` is told in peer/asked.py."""
        return Container([*self.command, asked], self.environment)


class Container(Caller):
    """A Caller whose memory can be read."""

    @property
    def peak_megabytes(self) -> float:
        """Of its memory since it began. (What getrusage tells has the parent's in it.)"""
        status = Path(f"/proc/{self._process.pid}/status")
        if not status.exists():  # not Linux
            return float("nan")
        line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
        return int(line.split()[1]) / 1024


@dataclass(frozen=True)
class Figures:
    """Of one side: milliseconds of each cold start, and the rounds of warm calls."""

    cold: list[float]
    warm: list[Turn]
    megabytes: float


def main(clients: int, calls: int, starts: int) -> None:
    """Fills both, compares the answers, measures, and prints the figures."""
    assert calls + WARM_UP < clients, "each call is to be about another client"
    python_path, bundle = _installed_peer(), _built_check()
    with served(durable=True) as world:
        with contextlib.redirect_stdout(io.StringIO()):
            pay(world)
        fill(world, 0, clients)
        sides = {"Tollgate": _tollgate(world, bundle), **_peers(world, python_path, clients)}
        for name, side in sides.items():
            _compare(name, side)

        def forget() -> None:
            with redis.Redis.from_url(world.stores.redis_url) as client:
                client.flushall()

        print(f"{'':28} cold ms   p50 µs   p95 µs  calls/s   peak MB   times as long: cold, warm")
        _print("a client known to Redis", _measured(sides, CLIENT, calls, starts, lambda: None))
        _print("a client Redis has not", _measured(sides, str(clients), calls, starts, forget))
    print("goals: " + ", ".join(f"{name} at least {goal}" for name, goal in GOALS.items()))


def _tollgate(world: World, bundle: Path) -> Side:
    command = [*_python("ours.py"), str(bundle), world.app.key]
    return Side(command, {**_environment(world), "PYTHONPATH": str(PROJECT)})


def _peers(world: World, python_path: str, clients: int) -> dict[str, Side]:
    """The peer over a schema of its own; it counts calls in a database of its own of Redis."""
    environment = {
        "PYTHONPATH": python_path,
        "DATABASE_URL": _peers_login(world),
        "REDIS_URL": f"{world.stores.redis_url.rpartition('/')[0]}/1",
        "CALLS_PER_SECOND": "1000000",
    }
    print(f"the peer: {clients:,} customers", file=sys.stderr)
    filling = [*_python("fill.py"), CLIENT, str(clients)]
    filled = subprocess.run(filling, env=environment, check=True, capture_output=True, text=True)
    command = [*_python("theirs.py"), filled.stdout.strip()]
    return {
        "dj-stripe with DRF": Side(command, environment),
        "  without counting calls": Side(command, {**environment, "CALLS_PER_SECOND": ""}),
    }


def _python(script: str) -> list[str]:
    return [sys.executable, "-S", str(HERE / script)]


def _peers_login(world: World) -> str:
    password = secrets.token_hex(16)
    with psycopg.connect(world.stores.owner_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE peer LOGIN PASSWORD '{password}'".encode())
        connection.execute("ALTER ROLE peer SET search_path = peer")
        connection.execute("CREATE SCHEMA peer")
        connection.execute("GRANT ALL ON SCHEMA peer TO peer")
    return make_conninfo(world.stores.service_url, user="peer", password=password)


def _installed_peer() -> str:
    """Where Python finds the peer, installed anew when its requirements are others."""
    requirements, stamp = HERE / "requirements.txt", INSTALLED / "installed"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    environment = INSTALLED / "venv"
    if not stamp.exists() or stamp.read_text() != wanted:
        print("installing the peer", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        pip = [str(environment / "bin" / "pip"), "install", "--disable-pip-version-check"]
        subprocess.run([*pip, "-q", "--require-hashes", "-r", str(requirements)], check=True)
        stamp.write_text(wanted)
    (packages,) = environment.glob("lib/python3*/site-packages")
    return f"{packages}{os.pathsep}{PROJECT}"


def _built_check() -> Path:
    """The paid-check as it is deployed, unpacked."""
    print("building the paid-check", file=sys.stderr)
    builder = Builder(PROJECT, INSTALLED / "build", lambda _line: None)
    builder.build_lib()
    folder = PROJECT / "packages" / "subscriptions" / "check"
    return builder.build(Function("subscriptions", "check", folder))


def _compare(name: str, side: Side) -> None:
    """Yes for who paid, no for who never did; and the .pyc of the first start are written."""
    for asked, expected in ((CLIENT, True), ("c1", True), (NEVER_PAID, False)):
        with side.container(asked) as container:
            told = json.loads(container.first_body)
            assert told["active"] is expected, (name, told)
            assert told["client_id"] == asked, (name, told)


def _measured(
    sides: Mapping[str, Side], asked: str, calls: int, starts: int, before: Callable[[], None]
) -> dict[str, Figures]:
    cold: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(starts):
        for name, side in sides.items():
            before()
            with side.container(asked) as container:
                assert json.loads(container.first_body)["active"]
                cold[name].append(container.cold_seconds * 1e3)
    with contextlib.ExitStack() as stack:
        containers = {
            name: stack.enter_context(side.container(asked)) for name, side in sides.items()
        }
        warm = _warm(containers, calls)
        return {
            name: Figures(cold[name], warm[name], container.peak_megabytes)
            for name, container in containers.items()
        }


def _warm(containers: Mapping[str, Container], calls: int) -> dict[str, list[Turn]]:
    for container in containers.values():
        container.call(WARM_UP)
    rounds = [
        {name: container.call(calls // ROUNDS) for name, container in containers.items()}
        for _ in range(ROUNDS)
    ]
    return {name: [each[name] for each in rounds] for name in containers}


def _print(title: str, measured: Mapping[str, Figures]) -> None:
    print(title)
    ours = next(iter(measured.values()))
    for name, figures in measured.items():
        spent = [seconds for turn in figures.warm for seconds in turn.seconds]
        line = (
            f"  {name:26} {median(figures.cold):7.0f} {median(spent) * 1e6:8.0f}"
            f" {quantiles(spent, n=20)[-1] * 1e6:8.0f} {len(spent) / sum(spent):8,.0f}"
            f" {figures.megabytes:9.0f}"
        )
        print(line if figures is ours else f"{line}   {_ratios(figures, ours)}")


def _ratios(theirs: Figures, ours: Figures) -> str:
    cold = median(a / b for a, b in zip(theirs.cold, ours.cold, strict=True))
    warm = median(
        median(a.seconds) / median(b.seconds) for a, b in zip(theirs.warm, ours.warm, strict=True)
    )
    return f"{cold:20.2f} {warm:5.2f}"


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(*(arguments + [100_000, 10_000, 15][len(arguments) :]))
