"""What every call of a timer passes through: one slice of work, bounded, logged, never raising.

The scheduler may call late, twice or at once: what is due is claimed row by row in storage/.
An entry file declares its work: main = job(reconcile_payments).
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tollgate.domain.errors import InternalError, TollgateError
from tollgate.logs import log, log_exception
from tollgate.operations.context import Context, container_context

SLICE_SECONDS = 40
"""How long a call goes on taking up work. Its last piece may take 15 s more; the timer's limit in
project.yml is a minute, and so is the pause before a piece that was claimed is due again."""


class Work(Protocol):
    """A slice of a timer's work: goes on while it has time, and tells what it did."""

    __name__: str

    def __call__(self, context: Context, has_time: Callable[[], bool], /) -> dict[str, Any]: ...


def job(*works: Work) -> Callable[..., dict[str, Any]]:
    """The `main` of a timer: these works, one after the other."""

    def main(_event: Mapping[str, Any], _context: object = None) -> dict[str, Any]:
        until = time.monotonic() + SLICE_SECONDS
        return {work.__name__: _run(work, lambda: time.monotonic() < until) for work in works}

    return main


def _run(work: Work, has_time: Callable[[], bool]) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        report = work(container_context(), has_time)
    except TollgateError as error:
        if isinstance(error, InternalError):
            log_exception("job.crashed", error, job=work.__name__)
        report = {"error": error.code}
    except Exception as error:  # noqa: BLE001 - the one place for timers: what gets out is lost
        log_exception("job.crashed", error, job=work.__name__)
        report = {"error": InternalError().code}
    numbers = {name: len(v) if isinstance(v, list) else v for name, v in report.items()}
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    log("job", job=work.__name__, ms=milliseconds, **numbers)
    return report
