"""Tokens: given for the right keys, for five minutes, and asked for by every request."""

import re

import pytest

from tests.local.pesapal.bench import Bench


def test_a_token_for_the_right_keys(bench: Bench) -> None:
    answer = bench.fetch_token()
    assert (answer["error"], answer["status"]) == (None, "200")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", answer["expiryDate"])
    assert bench.ledger()["token_requests"] == 1


@pytest.mark.parametrize("wrong", [{"consumer_key": "x"}, {"consumer_secret": "x"}])
def test_bad_news_of_wrong_keys_inside_http_200(bench: Bench, wrong: dict[str, str]) -> None:
    answer = bench.fetch_token(**wrong)
    assert answer["error"]["code"] == "invalid_consumer_key_or_secret_provided"
    assert (answer["status"], "token" in answer) == ("500", False)
    assert bench.ledger()["token_requests"] == 1


@pytest.mark.parametrize("wrong", [{"more": "x"}, {"consumer_key": 7}])
def test_keys_and_nothing_else(bench: Bench, wrong: dict[str, object]) -> None:
    assert bench.fetch_token(**wrong)["error"]["code"] == "invalid_api_request_parameters"


def test_ends_after_five_minutes(bench: Bench) -> None:
    tracking_id = bench.open_order()
    bench.clock.advance(299)
    assert bench.status(tracking_id)["status_code"] == 0
    bench.clock.advance(1)
    refused = bench.call("GET", "Transactions/GetTransactionStatus")
    assert (refused.status_code, refused.json()["status"]) == (401, "401")


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic {token}", "bearer {token}"])
def test_no_request_without_one(bench: Bench, authorization: str) -> None:
    token = bench.fetch_token()["token"]
    headers = {"Authorization": authorization.format(token=token)}
    assert bench.call("GET", "URLSetup/GetIpnList", headers=headers).status_code == 401


def test_may_be_refused_inside_http_200(bench: Bench) -> None:
    bench.fault(refuse_token=True, refuse_token_in_body=True, next={"refuse_token": 1})
    refused = bench.call("GET", "URLSetup/GetIpnList")
    assert (refused.status_code, refused.json()["status"]) == (200, "401")
    assert bench.call("GET", "URLSetup/GetIpnList").json()[0]["ipn_id"] == bench.ipn_id


@pytest.mark.parametrize(
    "headers", [{"Accept": "*/*"}, {"Content-Type": "text/plain"}, {"Content-Type": ""}]
)
def test_speaks_json_only(bench: Bench, headers: dict[str, str]) -> None:
    tracking_id = bench.open_order()
    content = {"order_tracking_id": tracking_id}
    answer = bench.call("POST", "Transactions/CancelOrder", json=content, headers=headers)
    assert answer.json()["error"]["code"] == "invalid_api_request_parameters"
    assert bench.payment(tracking_id)["status"] == "open"
    assert bench.post("Transactions/CancelOrder", content)["status"] == "200"
