"""`python -m tollgate pesapal`: the address at which Pesapal tells of payments."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.pesapal.bench import CONSUMER_KEY, CONSUMER_SECRET, Bench, served, standing

SHARED = Path(__file__).parent.parent / "shared"
WEBHOOK = "https://functions.example/webhook/receive/pesapal"
TOKEN = "a-token-of-the-suite-in-the-path"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with served() as ports, standing(ports) as bench:
        yield bench


def run(bench: Bench, *words: str, **values: str) -> "subprocess.CompletedProcess[str]":
    """One command, as an operator's shell runs it. There is no database."""
    given = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "TOLLGATE_MODE": "test",
        "PESAPAL_API_URL": bench.url,
        "PESAPAL_CONSUMER_KEY": CONSUMER_KEY,
        "PESAPAL_CONSUMER_SECRET": CONSUMER_SECRET,
        "PYTHONPATH": str(SHARED),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": os.environ["PATH"],
    }
    return subprocess.run(
        [sys.executable, "-m", "tollgate", "pesapal", *words],
        env=given | values,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def made(result: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    """The settings that it printed."""
    assert result.returncode == 0, result.stderr
    return dict(line.split("=", 1) for line in result.stdout.splitlines())


def refused(result: "subprocess.CompletedProcess[str]") -> str:
    assert "Traceback" not in result.stderr, result.stderr
    assert (result.returncode != 0, result.stdout) == (True, "")
    assert CONSUMER_SECRET not in result.stderr
    return result.stderr


def registered(bench: Bench) -> dict[str, str]:
    """Each address that Pesapal knows, by its id."""
    listed: list[dict[str, Any]] = bench.call("GET", "URLSetup/GetIpnList").json()
    assert {item["ipn_notification_type_description"] for item in listed} == {"POST"}
    return {item["ipn_id"]: item["url"] for item in listed}


def test_registers_an_address_once(bench: Bench) -> None:
    words = ("register-ipn", "--url", WEBHOOK)
    first = made(run(bench, *words, PESAPAL_IPN_TOKEN=TOKEN))
    assert first.keys() == {"PESAPAL_IPN_ID"}
    known = registered(bench)
    assert known[first["PESAPAL_IPN_ID"]] == f"{WEBHOOK}/{TOKEN}"
    assert made(run(bench, *words, PESAPAL_IPN_TOKEN=TOKEN)) == first
    assert made(run(bench, "register-ipn", "--url", WEBHOOK + "/", PESAPAL_IPN_TOKEN=TOKEN)) == (
        first
    )
    assert registered(bench) == known


def test_makes_a_token_where_there_is_none(bench: Bench) -> None:
    result = run(bench, "register-ipn", "--url", WEBHOOK, PESAPAL_IPN_TOKEN="none")
    settings = made(result)
    assert settings.keys() == {"PESAPAL_IPN_TOKEN", "PESAPAL_IPN_ID"}
    assert len(settings["PESAPAL_IPN_TOKEN"]) >= 40
    url = f"{WEBHOOK}/{settings['PESAPAL_IPN_TOKEN']}"
    assert registered(bench)[settings["PESAPAL_IPN_ID"]] == url
    assert ".env" in result.stderr


def test_lists_addresses_without_the_token(bench: Bench) -> None:
    ipn_id = made(run(bench, "register-ipn", "--url", WEBHOOK, PESAPAL_IPN_TOKEN=TOKEN))[
        "PESAPAL_IPN_ID"
    ]
    result = run(bench, "list-ipns", PESAPAL_IPN_TOKEN=TOKEN, PESAPAL_IPN_ID=ipn_id)
    assert (result.returncode, result.stderr) == (0, "")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert {line["ipn_id"] for line in lines} == registered(bench).keys()
    assert [line for line in lines if line["in_use"]] == [
        {"ipn_id": ipn_id, "url": f"{WEBHOOK}/***", "active": True, "in_use": True}
    ]
    assert TOKEN not in result.stdout


@pytest.mark.parametrize("token", ["short", "with/a/slash/and/more/of/it", "x" * 256])
def test_refuses_a_token_that_a_path_can_t_hold(bench: Bench, token: str) -> None:
    known = registered(bench)
    result = run(bench, "register-ipn", "--url", WEBHOOK, PESAPAL_IPN_TOKEN=token)
    assert "PESAPAL_IPN_TOKEN" in refused(result)
    assert registered(bench) == known


@pytest.mark.parametrize(
    "url", ["http://functions.example/x", "functions.example", WEBHOOK + "?x=1", "https:///x"]
)
def test_refuses_an_address_that_is_none(bench: Bench, url: str) -> None:
    assert "https://" in refused(run(bench, "register-ipn", "--url", url))


def test_says_what_is_wrong(bench: Bench) -> None:
    words = ("register-ipn", "--url", WEBHOOK)
    assert "secret" in refused(run(bench, *words, PESAPAL_CONSUMER_SECRET="wrong"))
    assert "PESAPAL_CONSUMER_KEY" in refused(run(bench, *words, PESAPAL_CONSUMER_KEY="none"))
    assert "reached" in refused(run(bench, *words, PESAPAL_API_URL="http://127.0.0.1:1"))
    assert "--url" in refused(run(bench, "register-ipn"))


def test_a_lost_answer_says_to_look_first(bench: Bench) -> None:
    bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    url = f"{WEBHOOK}/another"
    told = refused(run(bench, "register-ipn", "--url", url, PESAPAL_IPN_TOKEN=TOKEN))
    assert "list" in told
    known = registered(bench)
    ipn_id = made(run(bench, "register-ipn", "--url", url, PESAPAL_IPN_TOKEN=TOKEN))
    assert known[ipn_id["PESAPAL_IPN_ID"]] == f"{url}/{TOKEN}"
    assert registered(bench) == known
