"""One line of JSON a happening; an error tells its type and its place, never its text."""

import json
from typing import Any

import pytest

from tollgate.logs import log, log_exception


def logged(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    written = capsys.readouterr()
    assert written.err == ""
    assert written.out.endswith("\n") and written.out.count("\n") == 1
    line: dict[str, Any] = json.loads(written.out)
    return line


def test_a_happening_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_769_850_000.123_9)
    log("call", status=200, ms=1.5, app_id=None, replayed=True)
    assert logged(capsys) == {
        "at": 1_769_850_000.124,
        "event": "call",
        "status": 200,
        "ms": 1.5,
        "app_id": None,
        "replayed": True,
    }


def test_a_value_cannot_begin_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    log("call", function='a\n{"event": "forged"}\u2028b')
    assert logged(capsys)["function"] == 'a\n{"event": "forged"}\u2028b'


def test_an_error_is_logged_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    def fails(value: str) -> None:
        raise ValueError(f"value {value} of client-9")

    try:
        try:
            fails("s3cret")
        except ValueError as cause:
            raise KeyError("s3cret-key") from cause
    except KeyError as error:
        log_exception("call.crashed", error, request_id="r-1")
    line = logged(capsys)
    assert (line["event"], line["error"], line["request_id"]) == ("call.crashed", "KeyError", "r-1")
    assert line["where"].startswith("test_an_error_is_logged_without_its_words:")
    assert "s3cret" not in json.dumps(line) and "client-9" not in json.dumps(line)


def test_only_the_innermost_places_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    def deep(levels: int) -> None:
        if levels == 0:
            raise RuntimeError
        deep(levels - 1)

    try:
        deep(20)
    except RuntimeError as error:
        log_exception("call.crashed", error)
    assert logged(capsys)["where"].count("deep:") == 6


def test_an_error_that_was_never_raised_has_no_place(capsys: pytest.CaptureFixture[str]) -> None:
    log_exception("call.crashed", RuntimeError("s3cret"))
    assert logged(capsys)["where"] == ""
