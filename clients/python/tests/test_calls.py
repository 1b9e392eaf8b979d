"""Sending, sending again, giving up, and what a refusal is turned into."""

import pickle
import traceback
from typing import Any

import httpx
import pytest

from clients.python.tests.conftest import BASE_URL, KEY, PAYMENT, Answers, problem
from tollgate_client import (
    ApiError,
    Conflict,
    ConnectionFailed,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Tollgate,
    TollgateError,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
)
from tollgate_client.calls import Caller, Request

READ = Request("GET", "payments/get/pay_1")
GOOD = httpx.Response(200, json=PAYMENT)


class FakeTime:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def caller(answers: httpx.BaseTransport, time: FakeTime | None = None, **settings: Any) -> Caller:
    time = time or FakeTime()
    return Caller(
        BASE_URL,
        KEY,
        **{"timeout": 25, "retries": 3, "deadline": 45, **settings},
        transport=answers,
        sleep=time.sleep,
        monotonic=lambda: time.now,
    )


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("hung up"),
        problem(429, "rate_limited"),
        problem(503, "database_unavailable"),
        problem(409, "idempotency_key_in_use"),
    ],
    ids=repr,
)
def test_what_passes_is_tried_again(trouble: httpx.Response | Exception) -> None:
    answers = Answers(trouble, trouble, GOOD)
    assert caller(answers).send(READ)["id"] == "pay_1"
    assert len(answers.requests) == 3


@pytest.mark.parametrize(
    "trouble",
    [
        problem(400, "malformed_body"),
        problem(401, "credentials_refused"),
        problem(404, "not_found"),
        problem(409, "concurrent_change"),
        problem(422, "idempotency_key_reused"),
        problem(500, "internal_error"),
        httpx.Response(502, text="Bad Gateway"),
        httpx.Response(200, text="<html>"),
        httpx.Response(302, headers={"location": "https://elsewhere.example"}),
    ],
    ids=lambda answer: str(answer.status_code),
)
def test_what_stays_is_not_tried_again(trouble: httpx.Response) -> None:
    answers = Answers(trouble, GOOD)
    with pytest.raises(TollgateError):
        caller(answers).send(READ)
    assert len(answers.requests) == 1


def test_it_gives_up_after_its_retries() -> None:
    answers = Answers(httpx.ConnectError("refused"))
    with pytest.raises(ConnectionFailed):
        caller(answers).send(READ)
    assert len(answers.requests) == 4


def test_it_waits_as_long_as_it_was_asked_to_and_a_moment_longer() -> None:
    time = FakeTime()
    asked = problem(503, "database_unavailable", headers={"Retry-After": "7"})
    caller(Answers(asked, asked, GOOD), time).send(READ)
    assert 7 <= time.waits[0] <= 7.5
    assert 7 <= time.waits[1] <= 8
    assert time.waits[0] != 7


def test_a_date_to_come_back_at_counts_too() -> None:
    with pytest.raises(RateLimited) as caught:
        asked = {"Retry-After": "Wed, 01 Jan 2098 00:00:00 GMT"}
        caller(Answers(problem(429, "rate_limited", headers=asked))).send(READ)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 3600


@pytest.mark.parametrize("header", ["soon", "-5", "1e3", "nan", "٣", "", "9" * 400])
def test_a_senseless_retry_after_is_as_good_as_none(header: str) -> None:
    time = FakeTime()
    asked = problem(429, "rate_limited", headers={"Retry-After": header.encode()})
    assert caller(Answers(asked, GOOD), time).send(READ)["id"] == "pay_1"
    assert time.waits[0] <= 0.5


def test_it_does_not_wait_beyond_its_deadline() -> None:
    time = FakeTime()
    asked = problem(503, "database_unavailable", headers={"Retry-After": "20"})
    answers = Answers(asked)
    with pytest.raises(Unavailable) as caught:
        caller(answers, time, retries=100).send(READ)
    assert caught.value.retry_after == 20
    assert (len(answers.requests), len(time.waits)) == (3, 2)
    assert time.now <= 45


def test_a_try_waits_no_longer_than_what_is_left() -> None:
    time, limits = FakeTime(), []

    def slow(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"]["read"])
        time.now += limits[-1]
        raise httpx.ReadTimeout("slow")

    transport = httpx.MockTransport(slow)
    with pytest.raises(ConnectionFailed):
        caller(transport, time).send(READ)
    assert limits[0] == 25
    assert 19 <= limits[1] <= 20
    assert time.now <= 45.001


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (405, ApiError),
        (409, Conflict),
        (413, Invalid),
        (422, Invalid),
        (429, RateLimited),
        (500, ApiError),
        (503, Unavailable),
    ],
)
def test_a_problem_document_becomes_an_error(status: int, kind: type[ApiError]) -> None:
    fields = [{"path": "customer.email", "message": "is no address"}]
    answer = problem(status, "some_code", errors=fields, headers={"Retry-After": "2"})
    with pytest.raises(ApiError) as caught:
        caller(Answers(answer), retries=0).send(READ)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.detail) == (status, "some_code", "What is wrong.")
    assert (error.request_id, error.retry_after) == ("req_1", 2)
    assert error.errors == (FieldError("customer.email", "is no address"),)
    for part in (str(status), "some_code", "What is wrong.", "req_1", "customer.email"):
        assert part in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'"text"', b"\xff", b"[" * 100_000, b'{"code": 7, "errors": {"a": 1}}'],
    ids=lambda body: repr(body[:20]),
)
def test_a_refusal_without_a_problem_document_is_an_error_all_the_same(body: bytes) -> None:
    answer = httpx.Response(429, content=body, headers={"X-Request-Id": "req_2"})
    with pytest.raises(RateLimited) as caught:
        caller(Answers(answer), retries=0).send(READ)
    assert (caught.value.code, caught.value.request_id) == ("http_429", "req_2")
    assert caught.value.errors == ()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(204),
        httpx.Response(302, json={}),
        httpx.Response(200, content=b"[" * 100_000),
    ],
)
def test_an_answer_that_is_none_is_unexpected(answer: httpx.Response) -> None:
    with pytest.raises(UnexpectedAnswer):
        caller(Answers(answer)).send(READ)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.LocalProtocolError(f"Illegal header value b'Bearer {KEY}'"),
        httpx.ConnectError(f"refused {KEY}"),
        problem(401, "credentials_refused", detail=f"unknown: {KEY}"),
        problem(422, KEY, errors=[{"path": KEY, "message": KEY}]),
        httpx.Response(500, text=f"GET / Authorization: Bearer {KEY}"),
        httpx.Response(200, text=KEY),
    ],
    ids=repr,
)
def test_the_key_is_in_no_error(answer: httpx.Response | Exception) -> None:
    tollgate = Tollgate(BASE_URL, KEY, transport=Answers(answer), retries=0)
    for call in (lambda: tollgate.get_payment("pay_1"), lambda: tollgate.client_token("client-1")):
        with pytest.raises(TollgateError) as caught:
            call()
        told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        error: BaseException | None = caught.value
        while error is not None:
            assert KEY not in repr(error) + str(error) + repr(vars(error)), error
            error = error.__context__
        frames = [frame for frame in told.stack if frame.filename != __file__]
        assert frames
        assert KEY[10:] not in repr([frame.locals for frame in frames])


def test_the_key_is_in_no_repr() -> None:
    tollgate = Tollgate(BASE_URL, KEY, transport=Answers(GOOD))
    assert BASE_URL in repr(tollgate)
    assert "5ec2e7" not in repr(tollgate) + repr(vars(tollgate)["_caller"])


@pytest.mark.parametrize("key", ["", "secret", f"{KEY}\n", f" {KEY}", "tg_demo_1_2", "tg_test_1"])
def test_what_is_no_key_is_refused_unseen(key: str) -> None:
    with pytest.raises(ValueError, match="api_key is not a key") as caught:
        Tollgate(BASE_URL, key)
    assert "5ec2e7" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "tollgate.example", "ftp://tollgate.example", "https://u:p@h", "https://h/?a=b"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        Tollgate(url, KEY)
