"""What a request gets whose key somebody had before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tollgate.domain.errors import IdempotencyKeyInUse, IdempotencyKeyReused
from tollgate.domain.idempotency import Claim, Held, StoredAnswer, answer_of

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)
CLAIM = Claim("app_1", "k-1", b"a" * 32)
OTHER_BODY = replace(CLAIM, request_sha256=b"b" * 32)
ANSWER = StoredAnswer(201, b"{}")
LOCKED_UNTIL = NOW + timedelta(seconds=30)
WORKING = Held(b"a" * 32, "pay_1", None, LOCKED_UNTIL, answer=None)
ANSWERED = replace(WORKING, answer=ANSWER)


@pytest.mark.parametrize("passed", [timedelta(0), timedelta(seconds=30), timedelta(days=3650)])
def test_a_stored_answer_is_repeated_for_ever(passed: timedelta) -> None:
    assert answer_of(ANSWERED, CLAIM, NOW + passed) is ANSWER


@pytest.mark.parametrize("held", [WORKING, ANSWERED])
@pytest.mark.parametrize("passed", [timedelta(0), timedelta(days=1)])
def test_another_body_is_refused_whatever_became_of_the_first(
    held: Held, passed: timedelta
) -> None:
    with pytest.raises(IdempotencyKeyReused):
        answer_of(held, OTHER_BODY, NOW + passed)


def test_a_holder_is_left_alone_until_its_time_is_over() -> None:
    with pytest.raises(IdempotencyKeyInUse):
        answer_of(WORKING, CLAIM, NOW)
    with pytest.raises(IdempotencyKeyInUse):
        answer_of(WORKING, CLAIM, LOCKED_UNTIL - TICK)


def test_a_dead_holder_is_taken_over_from() -> None:
    assert answer_of(WORKING, CLAIM, LOCKED_UNTIL) is None


def test_an_answer_that_is_forgotten_is_no_holder_at_work() -> None:
    forgotten = replace(WORKING, locked_until=None)
    assert forgotten.is_removed
    assert answer_of(forgotten, CLAIM, NOW) is None
    with pytest.raises(IdempotencyKeyReused):
        answer_of(forgotten, OTHER_BODY, NOW)
