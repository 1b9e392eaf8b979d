"""Whether time tells a foreign id from a missing one, or a known key from an unknown one.

    PYTHONPATH=. .venv/bin/python benchmarks/alike.py [calls of each]

The cases take turns, one call each, so that a busy machine slows all alike.
"""

import contextlib
import io
import sys
import time
from statistics import median
from typing import Any

from benchmarks.served import served
from tests.world import Answer, World


def main(calls: int) -> None:
    """Measures and prints each pair: median microseconds, and their ratio."""
    with served(durable=False) as world:
        request, key = {"client_id": "c", "plan": "monthly"}, {"idempotency-key": "k"}
        foreign = world.call("payments/create", body=request, headers=key).json["id"]
        unknown = f"tg_test_{'0' * 16}_{'0' * 64}"
        wrong = f"{world.app.key[:-4]}{'0' * 4}"
        pairs: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
            "a foreign payment, and a missing one": (
                {"path": f"/{foreign}", "key": world.other_app.key},
                {"path": f"/{foreign[:-4]}0000", "key": world.other_app.key},
            ),
            "a wrong secret, and an unknown key": (
                {"path": "/pay_0", "key": wrong},
                {"path": "/pay_0", "key": unknown},
            ),
        }
        for name, pair in pairs.items():
            first, second = _measured(world, pair, calls)
            print(f"{name:38} {first:7.0f} µs {second:7.0f} µs {first / second:6.3f}")


def _measured(
    world: World, pair: tuple[dict[str, Any], dict[str, Any]], calls: int
) -> tuple[float, float]:
    spent: tuple[list[float], list[float]] = ([], [])
    turns = [0, 1, 1, 0] * (calls // 2)  # neither always comes after the other
    with contextlib.redirect_stdout(io.StringIO()):
        for turn in turns:
            started = time.perf_counter()
            answer: Answer = world.call("payments/get", method="GET", **pair[turn])
            spent[turn].append(time.perf_counter() - started)
            assert answer.status in (401, 404)
    return median(spent[0]) * 1e6, median(spent[1]) * 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
