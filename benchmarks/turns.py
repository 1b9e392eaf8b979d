"""A process of its own that answers on demand, and tells how long each answer took.

The standard library alone: the other side of a comparison runs in an environment of its own.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

_ANSWERS = "TURNS_ANSWERS"
"""Names the descriptor that answers go to: standard output is the log's."""


@dataclass(frozen=True)
class Turn:
    """Some calls in a row: seconds of each, processor seconds of all, and the last one's body."""

    seconds: list[float]
    processor_seconds: float
    body: str


class Caller:
    """A process that has given its first answer, after `cold_seconds`, and gives more."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        answers, theirs = os.pipe()
        started = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            env={**environment, _ANSWERS: str(theirs)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs,),
            text=True,
        )
        os.close(theirs)
        self._answers = os.fdopen(answers)
        self.first_body = self._answers.readline()
        self.cold_seconds = time.perf_counter() - started
        if not self.first_body:
            raise RuntimeError(f"{command[-1]} ended before it answered")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.communicate()  # it ends where its input does
        self._answers.close()

    def call(self, times: int) -> Turn:
        """So many calls, one after the other."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{times}\n")
        self._process.stdin.flush()
        return Turn(**json.loads(self._answers.readline()))


def answer(call: Callable[[], str]) -> None:
    """The other end of a Caller: calls once, then as often as each line of the input asks."""
    with os.fdopen(int(os.environ[_ANSWERS]), "w") as answers:
        print(call(), file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps(_turn(call, int(line))), file=answers, flush=True)


def _turn(call: Callable[[], str], times: int) -> dict[str, object]:
    body, seconds = "", []
    processor = time.process_time()
    for _ in range(times):
        started = time.perf_counter()
        body = call()
        seconds.append(time.perf_counter() - started)
    spent = time.process_time() - processor
    return {"seconds": seconds, "processor_seconds": spent, "body": body}
