"""The loopback API host refuses what the platform would refuse."""

import base64
from pathlib import Path

import httpx

from local.deploy_check.api_host import CODE_BYTES_MAX, ApiHost

PUT = "/api/v1/namespaces/_/actions/payments/create?overwrite=true"


def action(code: str) -> dict[str, object]:
    return {
        "annotations": [],
        "parameters": [],
        "exec": {"kind": "python:3.11", "binary": True, "code": code},
    }


def test_code_over_the_limit_is_refused(tmp_path: Path) -> None:
    code = base64.b64encode(bytes(CODE_BYTES_MAX + 1)).decode()

    with ApiHost(tmp_path) as host:
        answer = httpx.put(host.url + PUT, json=action(code), timeout=60)

    assert answer.status_code == 400
    assert f"over the limit of {CODE_BYTES_MAX}" in answer.json()["error"]
    assert host.deployment.functions == {}


def test_code_that_is_no_base64_is_refused(tmp_path: Path) -> None:
    with ApiHost(tmp_path) as host:
        answer = httpx.put(host.url + PUT, json=action("n@t base64"))

    assert answer.status_code == 400


def test_a_request_without_an_answer_is_remembered(tmp_path: Path) -> None:
    with ApiHost(tmp_path) as host:
        answer = httpx.get(f"{host.url}/api/v1/web/anything")

    assert answer.status_code == 404
    assert host.deployment.unknown == ["GET /api/v1/web/anything"]
