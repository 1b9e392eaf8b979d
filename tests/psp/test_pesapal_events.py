"""IPNs: who may tell us, and what is read of what they say."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.psp.pesapal_values import PAYMENT_ID, REFERENCE, TRACKING_ID, VALUES, adapter
from tollgate.domain.callback import Callback
from tollgate.domain.errors import Misconfigured, SignatureRefused, WebhookMalformed
from tollgate.domain.outcome import Hint

TOLD = {
    "OrderNotificationType": "IPNCHANGE",
    "OrderTrackingId": TRACKING_ID,
    "OrderMerchantReference": REFERENCE,
}
NOW = datetime(2030, 1, 1, tzinfo=UTC)
PATH_TOKEN = VALUES["PESAPAL_IPN_TOKEN"]


def read(callback: Callback, **values: str) -> Hint:
    return adapter(**values).read_event(callback, NOW)


def posted(content: Any = TOLD, path_token: str = PATH_TOKEN) -> Callback:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Callback(method="POST", path_token=path_token, body=body)


def got(told: dict[str, str] = TOLD, path_token: str = PATH_TOKEN) -> Callback:
    return Callback(method="GET", path_token=path_token, query=told)


@pytest.mark.parametrize("callback", [posted(), got()])
def test_names_the_payment_and_wants_to_be_answered(callback: Callback) -> None:
    assert read(callback) == Hint(
        event_id=None,
        type="IPNCHANGE",
        livemode=False,
        payment_id=PAYMENT_ID,
        psp_reference=TRACKING_ID,
        reply={
            "orderNotificationType": "IPNCHANGE",
            "orderTrackingId": TRACKING_ID,
            "orderMerchantReference": REFERENCE,
            "status": 200,
        },
    )


@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_names_come_in_any_case(change: Any) -> None:
    told = {change(name): value for name, value in TOLD.items()}
    assert read(posted(told)) == read(got(told)) == read(posted())


def test_other_fields_are_nothing_to_us() -> None:
    assert read(posted(TOLD | {"Status": "COMPLETED", "Amount": 1})) == read(posted())


def test_a_charge_of_a_schedule_is_of_nothing_we_opened() -> None:
    for reference in ("SUB-1", REFERENCE):
        recurring = {"OrderNotificationType": "RECURRING", "OrderMerchantReference": reference}
        hint = read(posted(TOLD | recurring))
        assert (hint.type, hint.payment_id) == ("RECURRING", None)
        assert hint.reply is not None
        assert (hint.reply["orderNotificationType"], hint.reply["status"]) == ("RECURRING", 200)


@pytest.mark.parametrize("reference", ["SUB-1", "pay-local-1-a1", "PAY_1.a", "pay_", "ref_1.a"])
def test_a_reference_that_is_not_ours_names_no_payment(reference: str) -> None:
    hint = read(posted(TOLD | {"OrderMerchantReference": reference}))
    assert hint.payment_id is None
    assert hint.reply is not None
    assert hint.reply["orderMerchantReference"] == reference


@pytest.mark.parametrize(
    "path_token", ["", PATH_TOKEN[:-1], PATH_TOKEN + "x", PATH_TOKEN.upper(), "é", "\udcff"]
)
def test_who_does_not_know_the_token_is_refused(path_token: str) -> None:
    for callback in (posted(path_token=path_token), got(path_token=path_token)):
        with pytest.raises(SignatureRefused):
            read(callback)


def test_the_token_comes_before_the_content() -> None:
    with pytest.raises(SignatureRefused):
        read(posted(b"{", path_token="another"))


@pytest.mark.parametrize("value", ["", "none"])
def test_without_a_token_of_ours_nothing_is_verified(value: str) -> None:
    for path_token in ("", "none"):
        with pytest.raises(Misconfigured, match="PESAPAL_IPN_TOKEN"):
            read(posted(path_token=path_token), PESAPAL_IPN_TOKEN=value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 100_000,
        {},
        {**TOLD, "OrderTrackingId": None},
        {**TOLD, "OrderTrackingId": ""},
        {**TOLD, "OrderTrackingId": "a/../b"},
        {**TOLD, "OrderTrackingId": "a\r\nb"},
        {**TOLD, "OrderTrackingId": "a" * 65},
        {**TOLD, "OrderTrackingId": 7},
        {**TOLD, "OrderMerchantReference": ["pay_1"]},
        {**TOLD, "OrderMerchantReference": "\ud800"},
        {**TOLD, "OrderNotificationType": "x" * 65},
        {name: value for name, value in TOLD.items() if name != "OrderMerchantReference"},
    ],
)
def test_what_is_no_ipn_is_malformed(content: Any) -> None:
    with pytest.raises(WebhookMalformed):
        read(posted(content))


def test_a_get_without_its_query_is_malformed() -> None:
    with pytest.raises(WebhookMalformed):
        read(got({}))
