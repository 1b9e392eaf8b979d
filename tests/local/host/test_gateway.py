"""Over HTTP, a function is reached as on the platform."""

import asyncio
import base64
import hashlib
import hmac
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from tests.local.host.sample import WEB, Sample, Served, in_loop, serving

ECHO = "def main(event): return {'body': event}"
PROBLEM_KEYS = {"type", "title", "status", "detail", "code", "request_id"}


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    document = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert document.keys() == PROBLEM_KEYS
    assert (document["type"], document["status"], document["code"]) == ("about:blank", status, code)
    assert document["request_id"] == answer.headers["x-request-id"]


@asynccontextmanager
async def on_a_socket(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """The same host behind a real server."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(served.host.app, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=address) as client:
            yield client
    finally:
        server.should_exit = True
        await task
        listener.close()


@in_loop
async def test_signature_over_the_raw_body_can_be_verified(sample: Sample) -> None:
    sample.function(
        "f",
        """\
        import base64, hashlib, hmac
        def main(event):
            http = event["http"]
            body = http["body"]
            raw = base64.b64decode(body) if http["isBase64Encoded"] else body.encode()
            digest = hmac.new(b"key", raw, hashlib.sha256).hexdigest()
            return {"body": {"same": digest == http["headers"]["x-signature"]}}
        """,
    )
    async with serving(sample) as served, on_a_socket(served) as client:
        for kind in ("application/json", "application/octet-stream", None):
            raw = b'{ "amount" : 1.0,\r\n "name":"\xc3\xa9\xff\x00" }\n'
            headers = {"X-Signature": hmac.new(b"key", raw, hashlib.sha256).hexdigest()}
            headers |= {"Content-Type": kind} if kind else {}
            answer = await client.post(f"{WEB}/p/f", content=raw, headers=headers)
            assert answer.json() == {"same": True}


@pytest.mark.parametrize(
    ("kind", "is_base64"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("application/octet-stream", True),
        ("image/png", True),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("application/cloudevents+json", False),
    ],
)
@in_loop
async def test_base64_depends_on_the_type(sample: Sample, kind: str, is_base64: bool) -> None:
    sample.function("f", ECHO)
    async with serving(sample) as served:
        answer = await served.post("f", content=b"a=%20b", headers={"content-type": kind})
    http = answer.json()["http"]
    text = base64.b64encode(b"a=%20b").decode() if is_base64 else "a=%20b"
    assert (http["body"], http["isBase64Encoded"]) == (text, is_base64)


@in_loop
async def test_raw_event(sample: Sample) -> None:
    sample.function("f", ECHO, parameters={"plain": 1})
    async with serving(sample) as served:
        url = f"{WEB}/p/f/pay_1%2F2/x%20y?a=1&a=%202&b"
        headers = [("X-One", "1"), ("X-ONE", "2"), ("X-Forwarded-For", "10.0.0.9")]
        answer = await served.client.request("PATCH", url, headers=headers)
    event = answer.json()
    http = event["http"]
    assert event.keys() == {"http", "plain"}
    assert http.keys() == {"body", "headers", "isBase64Encoded", "method", "path", "queryString"}
    assert (http["method"], http["body"], http["isBase64Encoded"]) == ("PATCH", "", False)
    assert http["path"] == "/pay_1%2F2/x%20y"
    assert http["queryString"] == "a=1&a=%202&b"
    assert http["headers"]["x-one"] == "2"
    assert http["headers"]["x-forwarded-for"] == "10.0.0.9, 127.0.0.1"
    expected = {"accept", "accept-encoding", "user-agent", "host", "x-forwarded-proto"}
    assert expected | {"x-request-id"} <= http["headers"].keys()
    assert all(name == name.lower() for name in http["headers"])


@in_loop
async def test_parsed_event_has_query_and_body_at_the_top(sample: Sample) -> None:
    sample.function("f", ECHO, web=True, parameters={"fixed": 1})
    async with serving(sample) as served:
        answer = await served.post("f?a=1&a=2&b=q", json={"b": "body"})
        form = await served.post("f", data={"c": "form"})
        overriding = await served.post("f", json={"fixed": 2})
    event = answer.json()
    assert event["http"].keys() == {"headers", "method", "path"}
    assert {key: event[key] for key in ("a", "b", "fixed")} == {"a": "2", "b": "body", "fixed": 1}
    assert form.json()["c"] == "form"
    assert_problem(overriding, 400, "invalid_request")


@in_loop
async def test_a_megabyte_comes_in_and_a_byte_more_does_not(sample: Sample) -> None:
    sample.function("f", "def main(event): return {'body': {'length': len(event['http']['body'])}}")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 500_000

    async with serving(sample) as served, on_a_socket(served) as client:
        url, text = f"{WEB}/p/f", {"content-type": "text/plain"}
        whole = await client.post(url, content=b"x" * 1_048_576, headers=text)
        more = await client.post(url, content=b"x" * 1_048_577, headers=text)
        chunked = await client.post(url, content=chunks(), headers=text)
    assert whole.json() == {"length": 1_048_576}
    assert_problem(more, 413, "request_too_large")
    assert_problem(chunked, 413, "request_too_large")


@in_loop
async def test_result_of_more_than_a_megabyte_is_an_error(sample: Sample) -> None:
    sample.function(
        "f", "def main(event): return {'body': 'x' * int(event['http']['queryString'])}"
    )
    async with serving(sample) as served:
        fits = await served.get("f?1048000")
        exceeds = await served.get("f?1048576")
    assert len(fits.content) == 1_048_000
    assert_problem(exceeds, 400, "result_too_large")


@in_loop
async def test_slow_call_answers_202_and_runs_on(sample: Sample) -> None:
    marker = sample.root / "done"
    sample.function(
        "f",
        f"""\
        import time
        def main():
            time.sleep(0.5)
            open({str(marker)!r}, "w").close()
        """,
    )
    async with serving(sample, wait_seconds=0.1) as served:
        answer = await served.get("f")
        assert not marker.exists()
        async with asyncio.timeout(5):
            while not marker.exists():
                await asyncio.sleep(0.01)
    assert answer.status_code == 202
    assert answer.json()["error"] == "Response not yet ready."
    assert answer.headers["x-openwhisk-activation-id"]


@in_loop
async def test_what_is_not_there_or_not_web_is_404(sample: Sample) -> None:
    sample.function("timer", ECHO, web=False)
    sample.function("f", ECHO)
    async with serving(sample) as served:
        for path in ("/p/timer", "/p/gone", "/gone/f", "/p", "/p/f%2Fx", ""):
            assert_problem(await served.client.get(WEB + path), 404, "not_found")
            assert_problem(await served.client.options(WEB + path), 404, "not_found")
        assert_problem(await served.client.get("/elsewhere"), 404, "not_found")


@in_loop
async def test_options_is_answered_by_the_gateway(sample: Sample) -> None:
    sample.function("f", "def main(): raise SystemExit")
    async with serving(sample) as served:
        asked = {"access-control-request-headers": "idempotency-key"}
        answer = await served.client.options(f"{WEB}/p/f", headers=asked)
        plain = await served.client.options(f"{WEB}/p/f")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "idempotency-key"
    assert "Authorization" in plain.headers["access-control-allow-headers"]


@in_loop
async def test_every_response_of_a_function_carries_cors(sample: Sample) -> None:
    sample.function("f", ECHO)
    sample.function("broken", "import gone")
    async with serving(sample) as served:
        for name in ("f", "broken"):
            answer = await served.get(name)
            assert answer.headers["access-control-allow-origin"] == "*"


@in_loop
async def test_custom_options_reach_the_function(sample: Sample) -> None:
    source = "def main(event): return {'statusCode': 204, 'headers': {'X-Mine': 'yes'}}"
    sample.function("f", source, annotations={"web-custom-options": True})
    async with serving(sample) as served:
        answer = await served.client.options(f"{WEB}/p/f")
    assert (answer.status_code, answer.headers["x-mine"]) == (204, "yes")
    assert "access-control-allow-origin" not in answer.headers


@in_loop
async def test_secured_function_wants_its_header(sample: Sample) -> None:
    sample.function("f", ECHO, webSecure="let-me-in")
    async with serving(sample) as served:
        assert_problem(await served.get("f"), 401, "unauthenticated")
        wrong = await served.get("f", headers={"X-Require-Whisk-Auth": "let-me"})
        right = await served.get("f", headers={"X-Require-Whisk-Auth": "let-me-in"})
    assert_problem(wrong, 401, "unauthenticated")
    assert right.status_code == 200


@in_loop
async def test_extension_of_the_name_selects_the_form(sample: Sample) -> None:
    sample.function("f", "def main(): return {'statusCode': 201, 'body': '<p>'}")
    async with serving(sample) as served:
        forms = {
            name: await served.get(f"f{name}/x")
            for name in ("", ".http", ".json", ".html", ".svg", ".text")
        }
    assert forms[""].status_code == forms[".http"].status_code == 201
    assert forms[".json"].json() == {"statusCode": 201, "body": "<p>"}
    kinds = {name: answer.headers["content-type"] for name, answer in forms.items()}
    assert kinds[".html"] == kinds[".http"] == "text/html; charset=UTF-8"
    assert kinds[".svg"] == "image/svg+xml"
    assert kinds[".text"] == "text/plain; charset=UTF-8"


@in_loop
async def test_unknown_method_is_405(sample: Sample) -> None:
    sample.function("f", ECHO)
    async with serving(sample) as served:
        answer = await served.client.request("TRACE", f"{WEB}/p/f")
    assert_problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("given", ["req-1", "bad id\x7f", ""])
@in_loop
async def test_request_id_is_kept_when_it_is_fit(sample: Sample, given: str) -> None:
    sample.function("f", ECHO)
    async with serving(sample) as served:
        answer = await served.get("f", headers={"x-request-id": given})
    seen: dict[str, Any] = answer.json()["http"]["headers"]
    assert (seen["x-request-id"] == given) is (given == "req-1")
