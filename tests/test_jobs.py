"""A timer's call: a slice of work that never raises and says in one line what came of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.world import World, entry
from tollgate import jobs
from tollgate.domain.errors import DatabaseUnavailable, DecryptionFailed
from tollgate.jobs import SLICE_SECONDS, job
from tollgate.operations.context import Context

SECRET = "the-password-of-somebody"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[0] == "{"]


def counts(_context: Context, _has_time: Callable[[], bool]) -> dict[str, Any]:
    return {"looked_at": 2, "unsettled": ["pay_1", "pay_2"]}


def crashes(_context: Context, _has_time: Callable[[], bool]) -> dict[str, Any]:
    raise ValueError(SECRET)


def is_refused(_context: Context, _has_time: Callable[[], bool]) -> dict[str, Any]:
    raise DatabaseUnavailable


def is_broken(_context: Context, _has_time: Callable[[], bool]) -> dict[str, Any]:
    raise DecryptionFailed


def test_what_it_did_is_reported_and_logged_in_one_line(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.run_timer("payments/reconcile")  # from here on the container is this world's
    capsys.readouterr()
    assert job(counts)({}) == {"counts": {"looked_at": 2, "unsettled": ["pay_1", "pay_2"]}}
    (line,) = lines(capsys)
    assert (line["event"], line["job"]) == ("job", "counts")
    assert (line["looked_at"], line["unsettled"]) == (2, 2)  # how many: a line is short
    assert line["ms"] >= 0


@pytest.mark.parametrize(
    ("work", "code"),
    [
        (crashes, "internal_error"),
        (is_refused, "database_unavailable"),
        (is_broken, "decryption_failed"),
    ],
)
def test_what_goes_wrong_is_told_and_holds_up_no_other_work(
    world: World, capsys: pytest.CaptureFixture[str], work: jobs.Work, code: str
) -> None:
    world.run_timer("payments/reconcile")
    capsys.readouterr()
    report = job(work, counts)({"any": "event"}, object())
    assert report[work.__name__] == {"error": code}
    assert report["counts"]["looked_at"] == 2
    printed = capsys.readouterr()
    assert SECRET not in printed.out + printed.err
    logged = [json.loads(line) for line in printed.out.splitlines()]
    ended = [line for line in logged if line["event"] == "job"]
    assert [line["job"] for line in ended] == [work.__name__, "counts"]
    assert ended[0]["error"] == code


def test_without_settings_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    from tollgate.operations.context import container_context

    container_context.cache_clear()
    assert entry("payments/reconcile")({}) == {"reconcile_payments": {"error": "misconfigured"}}


def test_a_slice_ends_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run_timer("payments/reconcile")
    now = [1_000.0]
    monkeypatch.setattr("tollgate.jobs.time.monotonic", lambda: now[0])
    seen = []

    def looks(_context: Context, has_time: Callable[[], bool]) -> dict[str, Any]:
        seen.append(has_time())
        now[0] += SLICE_SECONDS - 0.1
        seen.append(has_time())
        now[0] += 0.1
        seen.append(has_time())
        return {}

    job(looks, looks)({})
    assert seen == [True, True, False, False, False, False]
