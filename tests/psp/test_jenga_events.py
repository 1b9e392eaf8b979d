"""Reading what Jenga calls us for: only from who may send it, and only whom it is about."""

import base64
import json
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.psp.jenga_values import CHECKOUT, PAYMENT_ID, PUSHED, VALUES, jenga_of, without
from tollgate.domain.callback import Callback
from tollgate.domain.errors import Misconfigured, SignatureRefused, WebhookMalformed
from tollgate.domain.outcome import Hint

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)
USER, PASSWORD = VALUES["JENGA_IPN_USER"], VALUES["JENGA_IPN_PASSWORD"]
PATH_TOKEN = VALUES["JENGA_CALLBACK_TOKEN"]


def basic(user: str = USER, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def ipn(customer: object = "254700000001", bill: object = CHECKOUT, **more: Any) -> dict[str, Any]:
    """An IPN of a card payment with a service charge."""
    transaction = {
        "date": "2026-01-01 12:01:00",
        "reference": "SAMPLE1REF",
        "paymentMode": "CARD",
        "amount": 1505.0,
        "currency": "KES",
        "billNumber": bill,
        "servedBy": "EQ",
        "additionalInfo": "Jane Doe",
        "orderAmount": 1500.0,
        "serviceCharge": 5.0,
        "orderCurrency": "KES",
        "status": "SUCCESS",
        "remarks": "00:Approved",
    }
    return {
        "callbackType": "IPN",
        "customer": {"name": "Jane Doe", "mobileNumber": "254700000001", "reference": customer},
        "transaction": transaction | more,
        "bank": {"reference": "SAMPLEBANKREF", "transactionType": "C", "account": "145016064988"},
    }


def pushed(code: object = 3, **more: Any) -> dict[str, Any]:
    """A push's callback."""
    return {
        "status": True,
        "code": code,
        "message": "completed and credited",
        "transactionReference": PUSHED,
        "telcoReference": "SAMPLE1MPESA",
        "mobileNumber": "254700000001",
        "requestAmount": 1500.0,
        "debitedAmount": 1505.0,
        "charge": 5.0,
        "currency": "KES",
        "telco": "Safaricom",
    } | more


def raw(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def read_ipn(body: object, authorization: str | None = None) -> Hint:
    headers = {"authorization": authorization if authorization is not None else basic()}
    return jenga_of().read_event(Callback(headers=headers, body=raw(body)), NOW)


def read_push(body: object, path_token: str = PATH_TOKEN) -> Hint:
    return jenga_of().read_event(Callback(path_token=path_token, body=raw(body)), NOW)


def test_an_ipn_is_about_the_order_on_its_bill() -> None:
    assert read_ipn(ipn()) == Hint(
        event_id="SAMPLE1REF:SAMPLEBANKREF:SUCCESS",
        type="ipn.success",
        livemode=False,
        payment_id=PAYMENT_ID,
        psp_reference=CHECKOUT,
    )


def test_or_about_its_customers_order() -> None:
    hint = read_ipn(ipn(customer=PUSHED, bill="INV123"))
    assert (hint.payment_id, hint.psp_reference) == (PAYMENT_ID, PUSHED)


@pytest.mark.parametrize(("customer", "bill"), [("x", "y"), (None, None), (5, ["z"])])
def test_or_about_somebody_elses(customer: object, bill: object) -> None:
    hint = read_ipn(ipn(customer, bill))
    assert (hint.payment_id, hint.psp_reference) == (None, None)


def test_each_turn_of_a_transaction_is_an_event_of_its_own() -> None:
    said = [ipn(), ipn(), ipn(status="FAILED"), ipn(reference="SAMPLE2REF")]
    ids = [read_ipn(one).event_id for one in said]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert all(one is not None and len(one) <= 255 for one in ids)


def test_an_ipn_may_know_no_bank() -> None:
    assert read_ipn(without(ipn(), "bank", "customer")).event_id == "SAMPLE1REF:none:SUCCESS"


def test_unknown_extra_fields_are_fine() -> None:
    assert read_ipn(ipn(more={"new": 1}) | {"newer": []}) == read_ipn(ipn())


def test_a_live_deployment_has_live_events() -> None:
    callback = Callback(headers={"authorization": basic()}, body=raw(ipn()))
    assert jenga_of(True).read_event(callback, NOW).livemode is True


@pytest.mark.parametrize("code", [0, 1, 2, 3, 5, 6, 7, "3", "-1"])
def test_a_pushs_callback_is_numbered_by_nothing(code: int | str) -> None:
    hint = read_push(pushed(code))
    assert hint == Hint(
        event_id=None,
        type=f"push.{code}",
        livemode=False,
        payment_id=PAYMENT_ID,
        psp_reference=PUSHED,
    )


@pytest.mark.parametrize("reference", [f"{PUSHED}R", PUSHED])
def test_a_pushs_callback_may_name_the_order_or_the_request(reference: str) -> None:
    hint = read_push(pushed(transactionReference=reference))
    assert (hint.payment_id, hint.psp_reference) == (PAYMENT_ID, PUSHED)


@pytest.mark.parametrize("code", [4, "4"])
def test_money_that_went_astray_raises_an_alarm(code: int | str) -> None:
    alarm = read_push(pushed(code)).alarm
    assert alarm is not None
    assert alarm.code == "debited_not_credited"
    assert "254" not in alarm.message


REFUSED = [
    "",
    "Basic",
    "Basic ",
    "Basic !!",
    "Bearer x",
    "Basic é",
    basic(USER, "wrong"),
    basic("wrong", PASSWORD),
    basic("", ""),
    basic() + "A",
    basic()[:-4],
]


@pytest.mark.parametrize("authorization", REFUSED)
def test_an_ipn_from_another_is_refused_before_it_is_read(authorization: str) -> None:
    for body in (ipn(), b"{", b""):
        with pytest.raises(SignatureRefused):
            read_ipn(body, authorization)


def test_the_name_of_the_scheme_is_written_in_any_case() -> None:
    assert read_ipn(ipn(), basic().replace("Basic", "basic")).payment_id == PAYMENT_ID


@pytest.mark.parametrize("path_token", ["x", PATH_TOKEN + "x", PATH_TOKEN[:-1], "é", "\udfff"])
def test_a_callback_at_another_address_is_refused(path_token: str) -> None:
    for body in (pushed(), b"{"):
        with pytest.raises(SignatureRefused):
            read_push(body, path_token)


def test_neither_door_opens_with_the_others_key() -> None:
    headers = {"authorization": basic()}
    with pytest.raises(SignatureRefused):
        jenga_of().read_event(Callback(headers=headers, path_token="x", body=raw(pushed())), NOW)
    with pytest.raises(SignatureRefused):
        jenga_of().read_event(Callback(body=raw(pushed())), NOW)


@pytest.mark.parametrize("unset", ["", "none"])
@pytest.mark.parametrize("name", ["JENGA_IPN_USER", "JENGA_IPN_PASSWORD"])
def test_an_unset_password_verifies_nothing(name: str, unset: str) -> None:
    for password in ("", "none", PASSWORD):
        headers = {"authorization": basic("" if "USER" in name else USER, password)}
        with pytest.raises(Misconfigured, match=name):
            jenga_of(**{name: unset}).read_event(Callback(headers=headers, body=raw(ipn())), NOW)


@pytest.mark.parametrize("unset", ["", "none"])
def test_an_unset_token_verifies_nothing(unset: str) -> None:
    with pytest.raises(Misconfigured, match="JENGA_CALLBACK_TOKEN"):
        jenga_of(JENGA_CALLBACK_TOKEN=unset).read_event(
            Callback(path_token="none", body=raw(pushed())), NOW
        )


NO_JSON = [b"", b"{", b"null", b"[]", b"5", b"\xff", b"[" * 100_000, b'{"a": ' * 50_000]
NO_IPN: list[object] = [
    *NO_JSON,
    {},
    without(ipn(), "transaction"),
    ipn() | {"transaction": []},
    ipn() | {"customer": "x"},
    ipn() | {"bank": ["x"]},
    *(ipn(status=odd) for odd in (None, 5, "", "a\nb", "x" * 81)),
    *(ipn(reference=odd) for odd in (None, 5, "", "a\nb", "x" * 81)),
]
NO_PUSH: list[object] = [
    *NO_JSON,
    {},
    without(pushed(), "code"),
    without(pushed(), "transactionReference"),
    *(pushed(odd) for odd in (None, "", "three", 3.0, True, [3], "9" * 10)),
]


@pytest.mark.parametrize("body", NO_IPN, ids=lambda body: repr(body)[:50])
def test_what_is_no_ipn_is_refused(body: object) -> None:
    with pytest.raises(WebhookMalformed):
        read_ipn(body)


@pytest.mark.parametrize("body", NO_PUSH, ids=lambda body: repr(body)[:50])
def test_what_is_no_pushs_callback_is_refused(body: object) -> None:
    with pytest.raises(WebhookMalformed):
        read_push(body)


def test_a_refusal_repeats_neither_the_secrets_nor_the_body() -> None:
    body = b'{"card": "4242424242424242"'
    for authorization in (basic(), basic(USER, "wrong")):
        with pytest.raises((SignatureRefused, WebhookMalformed)) as raised:
            read_ipn(body, authorization)
        told = "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))
        assert raised.value.__suppress_context__ or raised.value.__context__ is None
        assert PASSWORD not in told
        assert "4242" not in told
