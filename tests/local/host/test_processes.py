"""Each function runs from its own bundle, in processes of its own, one call at a time."""

import asyncio
import os
from typing import Any

import pytest

from tests.local.host.sample import Sample, Served, in_loop, serving

PID = """\
    import os, time
    calls = 0
    def main(event):
        global calls
        calls += 1
        time.sleep(float(event["http"]["queryString"] or 0))
        return {"body": {"pid": os.getpid(), "calls": calls}}
"""
ENVIRONMENT = """\
    import os
    def main(event):
        return {"body": dict(os.environ)}
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def pid_of(served: Served, name: str = "f", seconds: float = 0) -> int:
    answer = await served.get(f"{name}?{seconds or ''}")
    pid: int = answer.json()["pid"]
    return pid


@in_loop
async def test_warm_process_is_used_again(sample: Sample) -> None:
    sample.function("f", PID)
    async with serving(sample) as served:
        answers = [(await served.get("f")).json() for _ in range(3)]
    assert len({answer["pid"] for answer in answers}) == 1
    assert [answer["calls"] for answer in answers] == [1, 2, 3]


@in_loop
async def test_concurrent_calls_never_share_a_process(sample: Sample) -> None:
    sample.function("f", PID)
    async with serving(sample) as served:
        await pid_of(served)
        pids = await asyncio.gather(*(pid_of(served, seconds=0.3) for _ in range(3)))
    assert len(set(pids)) == 3


@in_loop
async def test_calls_beyond_the_processes_wait_for_their_turn(sample: Sample) -> None:
    sample.function("f", PID)
    async with serving(sample, max_processes=2) as served:
        pids = await asyncio.gather(*(pid_of(served, seconds=0.05) for _ in range(6)))
    assert len(set(pids)) == 2


@in_loop
async def test_function_sees_only_its_own_variables(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_HOST", "x")
    sample.environment = {"GIVEN": "x"}
    sample.function("f", ENVIRONMENT, environment={"MINE": "m"})
    sample.function("g", ENVIRONMENT, environment={"OTHER": "o"})
    async with serving(sample) as served:
        seen = (await served.get("f")).json()
    own = {name for name in seen if not name.startswith("__OW_")}
    assert own - {"LC_CTYPE"} == {"MINE", "PATH", "LANG", "TZ"}
    assert seen["TZ"] == "UTC"


@in_loop
async def test_platform_variables_are_of_the_call(sample: Sample) -> None:
    sample.function("f", ENVIRONMENT)
    async with serving(sample) as served:
        first, second = await served.get("f"), await served.get("f")
    for answer in (first, second):
        seen = answer.json()
        assert seen["__OW_ACTIVATION_ID"] == answer.headers["x-openwhisk-activation-id"]
        assert seen["__OW_ACTION_NAME"] == "/fn-local/p/f"
        assert int(seen["__OW_DEADLINE"]) > 0
    assert first.json()["__OW_ACTIVATION_ID"] != second.json()["__OW_ACTIVATION_ID"]


@pytest.mark.parametrize("module", ["local", "pytest", "starlette", "tests", "other"])
@in_loop
async def test_nothing_but_the_bundle_and_the_standard_library(sample: Sample, module: str) -> None:
    sample.function(
        "f",
        f"""\
        import json, sqlite3
        import beside
        def main(event):
            try:
                import {module}
            except ModuleNotFoundError as error:
                return {{"body": error.name}}
            return {{"body": "found"}}
        """,
    )
    sample.write("packages/p/f/beside.py", "")
    sample.function("g", "def main(): return {}")
    sample.write("packages/p/g/other.py", "")
    async with serving(sample) as served:
        assert (await served.get("f")).text == module


@in_loop
async def test_shared_code_and_vendored_set_lie_at_the_root(sample: Sample) -> None:
    sample.shared()
    sample.function(
        "f",
        """\
        import os, sys
        import greeting
        sys.path.insert(0, os.path.join(os.path.dirname(__file__), "vendor-core"))
        import thing
        def main():
            here = os.getcwd() == os.path.dirname(__file__)
            return {"body": [greeting.WORD, thing.NAME, here, __name__]}
        """,
    )
    sample.write(
        "packages/p/f/.include",
        "__main__.py\n../../../lib/build/greeting\n../../../lib/build/vendor-core\n",
    )
    async with serving(sample) as served:
        assert (await served.get("f")).json() == ["hello", "vendored", True, "main__"]


@pytest.mark.parametrize(
    "result",
    [
        "decimal.Decimal(1)",
        "uuid.uuid4()",
        "datetime.datetime.now()",
        "b'x'",
        "sys.exit(0)",
        "os._exit(1)",
    ],
)
@in_loop
async def test_result_that_is_not_json_kills_the_process(sample: Sample, result: str) -> None:
    sample.function(
        "f",
        f"""\
        import datetime, decimal, os, sys, uuid
        def main(event):
            if event["http"]["queryString"]:
                return {{"body": {{"value": {result}}}}}
            return {{"body": {{"pid": os.getpid()}}}}
        """,
    )
    async with serving(sample) as served:
        before = await pid_of(served)
        answer = await served.get("f?break")
        assert answer.status_code == 400
        assert answer.json()["code"] == "function_crashed"
        assert answer.json()["detail"] == "There was an error processing your request."
        assert await pid_of(served) != before


@pytest.mark.parametrize(
    "result", ["float('nan')", "{'body': float('inf')}", "'text'", "7", "True"]
)
@in_loop
async def test_result_that_is_no_object_fails_but_keeps_the_process(
    sample: Sample, result: str
) -> None:
    sample.function(
        "f",
        f"""\
        import os
        def main(event):
            return {result} if event["http"]["queryString"] else {{"body": {{"pid": os.getpid()}}}}
        """,
    )
    async with serving(sample) as served:
        before = await pid_of(served)
        answer = await served.get("f?break")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_result")
        assert await pid_of(served) == before


@in_loop
async def test_none_is_an_empty_answer(sample: Sample) -> None:
    sample.function("f", "def main(): return None")
    async with serving(sample) as served:
        answer = await served.get("f")
    assert (answer.status_code, answer.content) == (204, b"")


@in_loop
async def test_uncaught_exception_is_400_and_in_the_log(sample: Sample) -> None:
    sample.function("f", "def main(event): raise KeyError('of mine')")
    async with serving(sample) as served:
        answer = await served.get("f")
        await served.logged("p/f: KeyError: 'of mine'")
    assert answer.status_code == 400
    assert answer.json()["detail"] == "Response is not valid 'message/http'."
    assert "of mine" not in answer.text


@in_loop
async def test_error_that_is_a_response_is_honoured(sample: Sample) -> None:
    sample.function("f", "def main(): return {'error': {'statusCode': 404, 'body': {'a': 1}}}")
    async with serving(sample) as served:
        answer = await served.get("f")
    assert (answer.status_code, answer.json()) == (404, {"a": 1})


@pytest.mark.parametrize(
    "source",
    ["import gone\ndef main(): return {}", "def main(:", "import sys\nsys.exit(0)", "maine = 1"],
)
@in_loop
async def test_function_that_does_not_load_fails_every_call(sample: Sample, source: str) -> None:
    sample.function("f", source)
    sample.function("g", PID)
    async with serving(sample) as served:
        answers = [await served.get("f"), await served.get("f")]
        assert await pid_of(served, "g")
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (400, "function_not_started")


@in_loop
async def test_import_error_is_in_the_log(sample: Sample) -> None:
    sample.function("f", "import gone\ndef main(): return {}")
    async with serving(sample) as served:
        await served.get("f")
        await served.logged("p/f: ModuleNotFoundError: No module named 'gone'")


@in_loop
async def test_call_is_killed_at_its_timeout(sample: Sample) -> None:
    sample.function("f", PID, limits={"timeout": 400})
    async with serving(sample) as served:
        before = await pid_of(served)
        answer = await served.get("f?30")
        assert (answer.status_code, answer.json()["code"]) == (400, "function_timed_out")
        assert not is_running(before)
        assert await pid_of(served) != before


@in_loop
async def test_timeout_counts_the_start(sample: Sample) -> None:
    sample.function("f", "import time\ntime.sleep(30)\ndef main(): ...", limits={"timeout": 200})
    async with serving(sample) as served:
        answer = await served.get("f")
    assert answer.json()["code"] == "function_timed_out"


@in_loop
async def test_idle_process_is_ended(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.host.host.REAP_SECONDS", 0.05)
    sample.function("f", PID)
    async with serving(sample, idle_seconds=0.05) as served:
        pid = await pid_of(served)
        async with asyncio.timeout(5):
            while is_running(pid):
                await asyncio.sleep(0.01)
        assert await pid_of(served) != pid


@in_loop
async def test_warm_process_that_died_is_replaced(sample: Sample) -> None:
    sample.function("f", PID)
    async with serving(sample) as served:
        pid = await pid_of(served)
        os.kill(pid, 9)
        async with asyncio.timeout(5):
            while is_running(pid):
                await asyncio.sleep(0.01)
        assert await pid_of(served) != pid


@in_loop
async def test_stop_ends_every_process(sample: Sample) -> None:
    sample.function("f", PID)
    sample.function("g", PID)
    async with serving(sample) as served:
        idle = await pid_of(served)
        busy = asyncio.create_task(served.get("g?30"))
        await asyncio.sleep(0.1)
    assert (await busy).status_code == 503
    assert not is_running(idle)


@in_loop
async def test_what_a_function_prints_is_logged(sample: Sample) -> None:
    sample.function("f", "import sys\ndef main(): print('out'); print('err', file=sys.stderr)")
    async with serving(sample) as served:
        await served.get("f")
        await served.logged("p/f: out")
        await served.logged("p/f: err")


CONTEXT = """\
    def main(event, context):
        names = ("activation_id", "api_host", "api_key", "deadline", "function_name",
                 "function_version", "namespace", "request_id")
        seen = {name: getattr(context, name) for name in names}
        return {"body": {**seen, "remaining": context.get_remaining_time_in_millis()}}
"""


@in_loop
async def test_context_has_the_documented_attributes(sample: Sample) -> None:
    sample.function("f", CONTEXT)
    async with serving(sample) as served:
        answer = await served.get("f", headers={"x-request-id": "req-1"})
    seen: dict[str, Any] = answer.json()
    assert seen["activation_id"] == answer.headers["x-openwhisk-activation-id"]
    assert (seen["function_name"], seen["namespace"]) == ("/fn-local/p/f", "fn-local")
    assert (seen["request_id"], seen["api_key"]) == ("req-1", "")
    assert 0 < seen["remaining"] <= 10_000


@pytest.mark.parametrize("signature", ["", "event", "event, context", "_, context=None", "*given"])
@in_loop
async def test_main_takes_as_much_as_it_wants(sample: Sample, signature: str) -> None:
    sample.function("f", f"def main({signature}): return {{'body': 'ok'}}")
    async with serving(sample) as served:
        assert (await served.get("f")).text == "ok"


@in_loop
async def test_main_with_any_number_gets_both(sample: Sample) -> None:
    sample.function("f", "def main(*given): return {'body': len(given)}")
    async with serving(sample) as served:
        assert (await served.get("f")).json() == 2


@in_loop
async def test_main_may_have_another_name(sample: Sample) -> None:
    sample.function("f", "def other(): return {'body': 'other'}", main="other")
    async with serving(sample) as served:
        assert (await served.get("f")).text == "other"
