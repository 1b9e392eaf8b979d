"""The addresses that Pesapal may tell of payments."""

import json
from typing import Any

import httpx
import pytest

from tests.psp.kept_tokens import KeptTokens
from tests.psp.pesapal_values import (
    API,
    Answers,
    pesapal_answers,
    refused,
    settings_of,
)
from tollgate.domain.errors import PspUnavailable, RefusedByPsp
from tollgate.psp.pesapal.api import Api
from tollgate.psp.pesapal.ipn import Ipn, list_ipns, register_ipn

URL = "https://functions.example/webhook/receive/pesapal/token"
ITEM: dict[str, Any] = {
    "url": URL,
    "created_date": "2030-01-01T12:00:00.123Z",
    "ipn_id": "84740ab4-3cd9-47da-8a4f-dd1db53494b5",
    "notification_type": 1,
    "ipn_notification_type_description": "POST",
    "ipn_status": 1,
    "ipn_status_description": "Active",
    "error": None,
    "status": "200",
}
IPN = Ipn(ITEM["ipn_id"], URL, is_active=True)


def listed(answer: Answers) -> list[Ipn]:
    with pesapal_answers("GET", f"{API}/URLSetup/GetIpnList", answer):
        return list_ipns(Api(settings_of(), KeptTokens()))


def registered(answer: Answers) -> Ipn:
    with pesapal_answers("POST", f"{API}/URLSetup/RegisterIPN", answer) as route:
        ipn = register_ipn(Api(settings_of(), KeptTokens()), URL)
        sent = json.loads(route.calls.last.request.content)
    assert sent == {"url": URL, "ipn_notification_type": "POST"}
    return ipn


def test_are_listed() -> None:
    assert listed(httpx.Response(200, json=[])) == []
    inactive = ITEM | {"ipn_status": 0}
    found = listed(httpx.Response(200, json=[ITEM, inactive]))
    assert found == [IPN, Ipn(IPN.id, URL, is_active=False)]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.Response(500, json=[]),
        httpx.Response(200, json={"status": "500"}),
        httpx.Response(200, json=[{"url": URL}]),
        httpx.Response(200, json=["x"]),
        refused("x"),
    ],
)
def test_a_list_that_can_t_be_read_is_none(answer: Answers) -> None:
    with pytest.raises(PspUnavailable):
        listed(answer)


def test_are_registered_to_be_told_by_post() -> None:
    assert registered(httpx.Response(200, json=ITEM)) == IPN


def test_a_refusal_is_told() -> None:
    with pytest.raises(RefusedByPsp, match="invalid_url"):
        registered(refused("invalid_url"))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.Response(500),
        httpx.Response(200, json=ITEM | {"ipn_id": None}),
        httpx.Response(200, json=ITEM | {"status": None}),
    ],
)
def test_a_lost_answer_is_not_taken_for_one(answer: Answers) -> None:
    with pytest.raises(PspUnavailable):
        registered(answer)
