"""Every malformed call gets a problem document: never a 5xx, never a row left behind."""

import itertools
import json
from typing import Any

import httpx
import pytest

from tests.journeys.conftest import Served

GOOD: dict[str, Any] = {"client_id": "bad-input", "amount": 100, "currency": "KES"}
_keys = itertools.count()


def good_with(**more: Any) -> bytes:
    return json.dumps({**GOOD, **more}).encode()


def amount_of(text: str) -> bytes:
    """A body whose amount is this text, also where JSON has no such number."""
    return good_with(amount="@").replace(b'"@"', text.encode())


NOT_JSON = [
    b"",
    b"amount=100",
    b"{",
    b'{"client_id": "bad-input",}',
    b"\xff\xfe",
    b"[" * 60_000,
    amount_of("9" * 5_000),
    b'{"a":' * 10_000,
    b'{"client_id": "\\ud800"}',
    b'"\x00"',
]
NOT_A_PAYMENT = [
    b"null",
    b"[]",
    b'"text"',
    b"{}",
    b"5",
    amount_of("NaN"),
    amount_of("Infinity"),
    amount_of("1e400"),
    amount_of("1e2"),
    amount_of("100.0"),
    amount_of("9" * 20),
    amount_of("-100"),
    amount_of("0"),
    amount_of("true"),
    amount_of('"100"'),
    amount_of("null"),
    amount_of("1000000000000"),
    good_with(currency="kes"),
    good_with(currency="XXX"),
    good_with(currency="BTC"),
    good_with(currency="K\u0395S"),
    good_with(client_id="../../etc/passwd"),
    good_with(client_id="a\x00b"),
    good_with(client_id=""),
    good_with(client_id="c" * 129),
    good_with(client_id=7),
    good_with(description="two\nlines"),
    good_with(description="nul\x00"),
    good_with(metadata={"a": 1}),
    good_with(metadata={"a\x00": "b"}),
    good_with(metadata={str(number): "x" for number in range(21)}),
    good_with(return_url="javascript:alert(1)"),
    good_with(return_url="https://shop.example/\r\nX: y"),
    good_with(return_url="http://[::1/"),
    good_with(plan="monthly"),
    good_with(psp="nobody"),
    good_with(livemode=True),
    good_with(status="succeeded"),
    good_with(amount_refunded=5),
    good_with(capture="later"),
    good_with(capture=None),
]


def send(served: Served, body: bytes, **headers: str) -> httpx.Response:
    return served.http.post(
        f"{served.rest_url}/payments",
        content=body,
        headers={
            **served.authorization,
            "Content-Type": "application/json",
            "Idempotency-Key": f"bad-{next(_keys)}",
            **headers,
        },
    )


def ask(served: Served, path: str, body: bytes) -> httpx.Response:
    """One call about a payment, such as pay_1/refund."""
    headers = {**served.authorization, "Idempotency-Key": f"bad-{next(_keys)}"}
    return served.http.post(f"{served.rest_url}/payments/{path}", content=body, headers=headers)


def is_problem(answer: httpx.Response, *statuses: int) -> bool:
    document = answer.json()
    assert answer.status_code in statuses, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["status"] == answer.status_code
    assert {"type", "title", "detail", "code", "request_id"} <= document.keys()
    return True


@pytest.fixture(autouse=True)
def _nothing_is_left(served: Served) -> Any:
    count = """SELECT (SELECT count(*) FROM payments), (SELECT count(*) FROM idempotency_keys),
                      (SELECT count(*) FROM refunds)"""
    before = served.rows(count)
    yield
    assert served.rows(count) == before


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:30]))
def test_what_is_not_json_is_400(served: Served, body: bytes) -> None:
    assert is_problem(send(served, body), 400)


@pytest.mark.parametrize("body", NOT_A_PAYMENT, ids=lambda body: repr(body[-60:]))
def test_what_is_not_a_payment_is_422(served: Served, body: bytes) -> None:
    answer = send(served, body)
    assert is_problem(answer, 422)
    assert "etc/passwd" not in answer.text


@pytest.mark.parametrize(
    "body", [*NOT_JSON, b"null", b"[]", b"5"], ids=lambda body: repr(body[:30])
)
@pytest.mark.parametrize("what", ["capture", "refund"])
def test_a_body_that_moves_no_money_is_a_problem(served: Served, what: str, body: bytes) -> None:
    assert is_problem(ask(served, f"pay_1/{what}", body), 400, 422)


@pytest.mark.parametrize("amount", ["1.5", "true", '"1"', "0", "-1", "1e400", "NaN", "9" * 5_000])
@pytest.mark.parametrize("what", ["capture", "refund"])
def test_an_amount_that_is_none_is_a_problem(served: Served, what: str, amount: str) -> None:
    answer = ask(served, f"pay_1/{what}", f'{{"amount": {amount}}}'.encode())
    assert is_problem(answer, 400, 422)


@pytest.mark.parametrize("payment_id", ["pay_1", "pay_%00", "..%2f", "%ff", "p" * 5_000])
@pytest.mark.parametrize("what", ["capture", "cancel", "refund"])
def test_what_is_no_payment_is_404(served: Served, what: str, payment_id: str) -> None:
    assert is_problem(ask(served, f"{payment_id}/{what}", b"{}"), 400, 404)


@pytest.mark.parametrize("path", ["payments/reconcile", "payments/reconcile/now"])
def test_a_timer_is_not_to_be_had_over_http(served: Served, path: str) -> None:
    url = f"{served.described['base_url']}/{path}"
    operator = {"Authorization": f"Bearer {served.described['admin_key']}"}
    for method in ("GET", "POST"):
        assert served.http.request(method, url, headers=operator).status_code in (401, 404)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/png", ""])
def test_the_content_type_does_not_matter(served: Served, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    assert is_problem(send(served, b"\xff not json", **headers), 400)


@pytest.mark.parametrize("body", [good_with(description="x" * 70_000), b"[" * 100_000])
def test_a_body_over_64_kib_is_413(served: Served, body: bytes) -> None:
    assert is_problem(send(served, body), 413)


def test_a_megabyte_and_one_byte_is_413(served: Served) -> None:
    assert is_problem(send(served, b" " * (1024 * 1024 + 1)), 413)


@pytest.mark.parametrize("key", ["k" * 256, "", "caf\u00e9", "tab\there"])
def test_a_malformed_idempotency_key_is_400(served: Served, key: str) -> None:
    headers = httpx.Headers(served.authorization)
    raw = [*headers.raw, (b"Idempotency-Key", key.encode())]
    answer = served.http.post(
        f"{served.rest_url}/payments", content=good_with(), headers=httpx.Headers(raw)
    )
    assert is_problem(answer, 400)


def test_a_missing_idempotency_key_is_400(served: Served) -> None:
    answer = served.http.post(
        f"{served.rest_url}/payments", content=good_with(), headers=served.authorization
    )
    assert is_problem(answer, 400)
    assert answer.json()["code"] == "idempotency_key_missing"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer x",
        "Basic dXNlcjpwYXNz",
        "Bearer tg_live_0123456789abcdef_" + "0" * 64,
        "Bearer tg_test_0123456789abcdef_" + "0" * 64,
        "Bearer tg_test_\u0661123456789abcdef_" + "0" * 64,
        "Bearer " + "a" * 5_000,
    ],
)
def test_bad_credentials_are_401(served: Served, authorization: str | None) -> None:
    headers = httpx.Headers(
        [(b"authorization", authorization.encode())] if authorization is not None else []
    )
    for url in ("/payments/pay_1", "/subscriptions/c"):
        answer = served.http.get(served.rest_url + url, headers=headers)
        assert is_problem(answer, 401)
        assert "www-authenticate" in answer.headers


def test_the_right_id_with_a_wrong_secret_is_401(served: Served) -> None:
    key = served.app["key"]
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    url = f"{served.rest_url}/subscriptions/c"
    assert is_problem(served.http.get(url, headers={"Authorization": f"Bearer {wrong}"}), 401)


def test_an_operators_key_starts_no_payment(served: Served) -> None:
    operator = {"Authorization": f"Bearer {served.described['admin_key']}"}
    answer = send(served, good_with(), **operator)
    assert is_problem(answer, 403)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    "function",
    [
        "payments/create",
        "payments/capture/pay_1",
        "payments/cancel/pay_1",
        "payments/refund/pay_1",
        "subscriptions/create",
    ],
)
def test_a_wrong_method_is_405(served: Served, function: str, method: str) -> None:
    url = f"{served.described['base_url']}/{function}"
    answer = served.http.request(method, url, headers=served.authorization)
    assert is_problem(answer, 405)
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_a_webhook_comes_by_post_or_get(served: Served, method: str) -> None:
    answer = served.http.request(method, f"{served.described['base_url']}/webhook/receive/stripe")
    assert is_problem(answer, 405)
    assert answer.headers["allow"] == "POST, GET"


@pytest.mark.parametrize(
    "path",
    [
        "/payments/get/pay_%00",
        "/payments/get/..%2f..%2fetc%2fpasswd",
        "/payments/get/%ff%fe",
        "/payments/get/" + "p" * 5_000,
        "/payments/get",
        "/payments/get/a/b",
        "/payments/return/pay_%00",
        "/payments/list?status=paid",
        "/payments/list?limit=1e1",
        "/payments/list?created_after=%00",
        "/payments/list?created_after=9999-99-99T99:99:99Z",
        "/payments/list?client_id=..%2f",
        "/payments/list?cursor=cGF5_%00",
        "/payments/list?cursor=" + "A" * 5_000,
        "/payments/list?app_id=app_1",
        "/payments/list/pay_1",
        "/payments/return/%F0%9F%98%80",
        "/subscriptions/check/%00",
        "/subscriptions/check/%ed%a0%80",
        "/subscriptions/check/" + "c" * 10_000,
        "/subscriptions/check/c?product=%00",
        "/subscriptions/check/c?product=" + "p" * 10_000,
        "/subscriptions/check/c?product=%ff",
        "/subscriptions/check/c?" + "&".join(f"a{number}=1" for number in range(100)),
        "/nothing/here",
        "/payments",
    ],
)
def test_a_hostile_path_is_a_problem(served: Served, path: str) -> None:
    answer = served.http.get(served.described["base_url"] + path, headers=served.authorization)
    assert is_problem(answer, 400, 404, 422)


@pytest.mark.parametrize(
    "body", [*NOT_JSON, b"null", b"{}", b'{"client_id": "c"}', b'{"client_id": "c", "plan": "x"}']
)
def test_a_bad_subscription_is_a_problem(served: Served, body: bytes) -> None:
    answer = served.http.post(
        f"{served.rest_url}/subscriptions", content=body, headers=served.authorization
    )
    assert is_problem(answer, 400, 422)


@pytest.mark.parametrize("body", [*NOT_JSON, *NOT_A_PAYMENT[:20]], ids=lambda body: repr(body[:30]))
def test_a_signed_webhook_that_is_no_event_is_400(served: Served, body: bytes) -> None:
    import hashlib
    import hmac
    import time

    timestamp = int(
        time.time()
        + served.http.get(
            f"{served.rest_url}/_local/clock",
            headers={"Authorization": f"Bearer {served.described['admin_key']}"},
        ).json()["offset_seconds"]
    )
    secret = served.described["webhook_secrets"]["stripe"].encode()
    signature = hmac.new(secret, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    answer = served.http.post(
        f"{served.rest_url}/webhook/stripe",
        content=body,
        headers={"Stripe-Signature": f"t={timestamp},v1={signature}"},
    )
    assert is_problem(answer, 400)
