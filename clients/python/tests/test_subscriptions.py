"""Subscriptions: what is sent for them, and how the answers are read."""

import json
from datetime import datetime, timezone

import pytest

from clients.python.tests.conftest import SUBSCRIPTION
from clients.python.tests.test_client import answered, client


def test_a_subscription_is_made() -> None:
    answers = answered(SUBSCRIPTION, status=201)
    subscription = client(answers).create_subscription("client-1", "monthly")
    assert subscription.id == "sub_1"
    assert answers.paths == ["subscriptions/create"]
    assert json.loads(answers.requests[0].content) == {"client_id": "client-1", "plan": "monthly"}


def test_a_subscription_is_made_as_it_is_to_be_billed() -> None:
    url = "https://tollgate.example/pay"
    answers = answered({**SUBSCRIPTION, "status": "incomplete", "pay_url": url}, status=201)
    subscription = client(answers).create_subscription(
        "client-1",
        "monthly",
        currency="KES",
        customer={"phone": "+254700000001"},
        renewal={"method": "mpesa", "hour": 10},
    )
    assert json.loads(answers.requests[0].content) == {
        "client_id": "client-1",
        "plan": "monthly",
        "currency": "KES",
        "customer": {"phone": "+254700000001"},
        "renewal": {"method": "mpesa", "hour": 10},
    }
    assert subscription.pay_url == url
    assert subscription.renewal["hour"] == 9


def test_a_subscription_is_read_and_moved() -> None:
    answers = answered(SUBSCRIPTION)
    tollgate, until = client(answers), datetime(2030, 5, 1, tzinfo=timezone.utc)
    tollgate.get_subscription("sub_1")
    tollgate.cancel_subscription("sub_1")
    tollgate.cancel_subscription("sub_1", at="never")
    tollgate.change_subscription("sub_1", "yearly")
    tollgate.change_subscription("sub_1", "yearly", proration="charge_now")
    tollgate.pause_subscription("sub_1")
    tollgate.pause_subscription("sub_1", resumes_at=until)
    tollgate.resume_subscription("sub_1")
    sent = [
        (request.method, path.removeprefix("subscriptions/"), request.content)
        for request, path in zip(answers.requests, answers.paths, strict=True)
    ]
    assert sent == [
        ("GET", "get/sub_1", b""),
        ("PUT", "cancel/sub_1", b'{"at":"period_end"}'),
        ("PUT", "cancel/sub_1", b'{"at":"never"}'),
        ("PUT", "change/sub_1", b'{"plan":"yearly"}'),
        ("PUT", "change/sub_1", b'{"plan":"yearly","proration":"charge_now"}'),
        ("PUT", "pause/sub_1", b"{}"),
        ("PUT", "pause/sub_1", b'{"resumes_at":"2030-05-01T00:00:00+00:00"}'),
        ("PUT", "resume/sub_1", b"{}"),
    ]


def test_a_pause_ends_in_some_time_zone() -> None:
    naive = datetime.fromisoformat("2030-05-01T00:00:00")
    with pytest.raises(ValueError, match="zone"):
        client(answered(SUBSCRIPTION)).pause_subscription("sub_1", resumes_at=naive)
