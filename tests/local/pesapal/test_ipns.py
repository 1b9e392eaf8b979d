"""IPNs: told to the address that the order named, until it answers as it should."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tests.local.pesapal.bench import PATH, Bench, Ports, acknowledgement, standing
from tests.local.standin.serving import until


def told_of(tracking_id: str) -> dict[str, str]:
    return {
        "OrderTrackingId": tracking_id,
        "OrderMerchantReference": "pay_1.a",
        "OrderNotificationType": "IPNCHANGE",
    }


@pytest.mark.parametrize("kind", ["GET", "POST"])
def test_are_told_as_the_address_was_registered(ports: Ports, kind: Any) -> None:
    with standing(ports, webhook_type=kind) as bench:
        tracking_id = bench.open_order()
        bench.happen(tracking_id, "pay")
        assert until(lambda: bench.receiver.heard) == [(kind, told_of(tracking_id))]
        until(lambda: bench.ledger()["events"][0]["delivered_at"])


def test_go_to_the_address_that_the_order_named(bench: Bench, ports: Ports) -> None:
    asked = {"url": f"{ports.receiver.url}{PATH}?x=1", "ipn_notification_type": "GET"}
    registered = bench.post("URLSetup/RegisterIPN", asked)
    assert (registered["error"], registered["status"]) == (None, "200")
    assert registered["ipn_notification_type_description"] == "GET"
    tracking_id = bench.open_order(notification_id=registered["ipn_id"])
    bench.happen(tracking_id, "pay")
    assert until(lambda: bench.receiver.heard) == [("GET", {"x": "1"} | told_of(tracking_id))]


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("OK"),
        JSONResponse({"status": 200}),
        JSONResponse({"received": True}),
        acknowledgement(told_of("x")),
        Response(status_code=500),
    ],
)
def test_are_told_again_until_they_are_repeated(bench: Bench, answer: Response) -> None:
    bench.receiver.answers.append(answer)
    tracking_id = bench.open_order()
    bench.happen(tracking_id, "pay")
    until(lambda: len(bench.receiver.heard) == 2)
    (event,) = until(lambda: _delivered(bench))
    assert [attempt["accepted"] for attempt in event["attempts"]] == [False, True]


def test_trouble_is_told_again(bench: Bench) -> None:
    tracking_id = bench.open_order()
    bench.receiver.answers.append(acknowledgement(told_of(tracking_id), status=500))
    bench.happen(tracking_id, "pay")
    until(lambda: len(bench.receiver.heard) == 2)


def test_may_come_twice_and_may_not_come(bench: Bench) -> None:
    bench.fault(lost=True, next={"lost": 1})
    bench.happen(bench.open_order(), "pay")
    bench.fault(twice=True)
    second = bench.open_order(id="pay_2.a")
    bench.happen(second, "pay")
    until(lambda: len(bench.receiver.heard) == 2)
    assert {told["OrderTrackingId"] for _, told in bench.receiver.heard} == {second}


def test_an_address_may_be_registered_twice(bench: Bench) -> None:
    asked = {"url": "https://shop.test/ipn/t", "ipn_notification_type": "POST"}
    ids = {bench.post("URLSetup/RegisterIPN", asked)["ipn_id"] for _ in range(2)}
    listed = bench.call("GET", "URLSetup/GetIpnList").json()
    assert {item["ipn_id"] for item in listed} == ids | {bench.ipn_id}
    assert {item["ipn_status"] for item in listed} == {1}


@pytest.mark.parametrize(
    "asked",
    [
        {"url": "shop.test", "ipn_notification_type": "POST"},
        {"url": "https://shop.test/ipn", "ipn_notification_type": "PUT"},
        {"url": "https://shop.test/ipn"},
        {"url": "https://shop.test/ipn", "ipn_notification_type": "POST", "more": 1},
    ],
)
def test_registers_nothing_else(bench: Bench, asked: dict[str, Any]) -> None:
    answer = bench.post("URLSetup/RegisterIPN", asked)
    assert answer["error"]["code"] == "invalid_api_request_parameters"


def test_orders_and_the_address_outlive_a_restart(ports: Ports, tmp_path: Path) -> None:
    file = tmp_path / "pesapal.json"
    with standing(ports, state_file=file) as bench:
        tracking_id, ipn_id = bench.open_order(), bench.ipn_id
        bench.happen(tracking_id, "decline")
    with standing(ports, state_file=file, random=Random(21)) as bench:
        assert bench.ipn_id == ipn_id
        assert len(bench.call("GET", "URLSetup/GetIpnList").json()) == 1
        bench.press(tracking_id, "pay-card")
        assert bench.payment(tracking_id)["captured"] == 150_000


def _delivered(bench: Bench) -> list[dict[str, Any]]:
    return [event for event in bench.ledger()["events"] if event["delivered_at"]]
