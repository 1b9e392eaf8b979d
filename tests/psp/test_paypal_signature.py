"""A webhook's signature, and the certificate that it names: where it may be, and whose."""

import base64
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import respx

from tests.psp.kept_tokens import KeptTokens
from tests.psp.paypal_certificates import (
    BODY,
    NOW,
    WEBHOOK_ID,
    authority,
    read,
    signed,
)
from tests.psp.paypal_values import adapter, settings_of
from tollgate.domain.callback import Callback
from tollgate.domain.errors import (
    Misconfigured,
    SignatureRefused,
    TollgateError,
    WebhookMalformed,
)
from tollgate.psp.paypal.adapter import PayPal

OWN_URL = "http://127.0.0.1:8080/paypal"


def test_takes_what_paypal_signed() -> None:
    assert read(signed(BODY)).event_id == "WH-1"


def test_the_crc_is_unsigned_and_over_the_raw_body() -> None:
    for number in range(8):  # about half of all CRCs would be negative as a signed number
        body = BODY + b" " * number
        assert read(signed(body)).event_id == "WH-1"
        with pytest.raises(SignatureRefused):
            read(replace(signed(body), body=body + b" "))


@pytest.mark.parametrize(
    "callback",
    [
        signed(BODY, webhook_id="8PT597110X687430LKGECATA"),
        signed(BODY, transmission_id="transmission-2"),
        signed(BODY, transmission_time="2026-06-01T12:00:01Z"),
        signed(BODY, transmission_sig=base64.b64encode(b"\0" * 256).decode()),
        signed(BODY, transmission_sig="not base64!"),
        signed(BODY, transmission_sig="é"),
        signed(BODY, auth_algo="SHA1withRSA"),
        signed(BODY, auth_algo="none"),
        Callback(body=BODY),
    ],
    ids=range(9),
)
def test_refuses_what_paypal_did_not_sign_to_our_webhook(callback: Callback) -> None:
    with pytest.raises(SignatureRefused):
        read(callback)


@pytest.mark.parametrize(
    "name", ["transmission-id", "transmission-time", "transmission-sig", "cert-url", "auth-algo"]
)
@pytest.mark.parametrize("value", [None, "", "x" * 3000])
def test_refuses_without_each_header(name: str, value: str | None) -> None:
    callback = signed(BODY)
    headers = dict(callback.headers)
    del headers[f"paypal-{name}"]
    if value is not None:
        headers[f"paypal-{name}"] = value
    with pytest.raises(SignatureRefused):
        read(replace(callback, headers=headers))


def test_a_line_of_base64_more_is_no_signature() -> None:
    signature = signed(BODY).headers["paypal-transmission-sig"]
    with pytest.raises(SignatureRefused):
        read(signed(BODY, transmission_sig=signature + "\n"))


@pytest.mark.parametrize("value", ["", "none"])
def test_an_unset_webhook_id_verifies_nothing(value: str) -> None:
    with pytest.raises(Misconfigured, match="PAYPAL_WEBHOOK_ID"):
        read(signed(BODY, webhook_id=value), PAYPAL_WEBHOOK_ID=value)


def test_no_time_of_sending_is_too_old() -> None:
    assert read(signed(BODY), now=NOW + timedelta(days=4)).event_id == "WH-1"


def test_what_was_signed_and_is_no_event_is_malformed() -> None:
    with pytest.raises(WebhookMalformed):
        read(signed(b"[]"))


FORGED_ADDRESSES = [
    "",
    "http://api.paypal.com/v1/notifications/certs/CERT-1",
    "https://evil.example/v1/notifications/certs/CERT-1",
    "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
    "https://evilpaypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
    "https://user@api.paypal.com/v1/notifications/certs/CERT-1",
    "https://user:pass@api.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
    "https://api.paypal.com:443/v1/notifications/certs/CERT-1",
    "https://api.paypal.com./v1/notifications/certs/CERT-1",
    "https://api.PayPal.com/v1/notifications/certs/CERT-1",
    "HTTPS://api.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.p\u0430ypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com\\@evil.example/v1/notifications/certs/CERT-1",
    "https://evil.example\\.paypal.com/v1/notifications/certs/CERT-1",
    "https://evil.example/.paypal.com/v1/notifications/certs/CERT-1",
    "https://evil.example#.paypal.com/v1/notifications/certs/CERT-1",
    "https://evil.example?.paypal.com/v1/notifications/certs/CERT-1",
    "https://.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com/v1/notifications/certs/../../../CERT-1",
    "https://api.paypal.com/v1/notifications/certs/CERT-1/",
    "https://api.paypal.com/v1/notifications/certs/CERT-1?to=elsewhere",
    "https://api.paypal.com/v1/notifications/certs/CERT-1#elsewhere",
    "https://api.paypal.com/v1/notifications/certs/CERT%2d1",
    "https://api.paypal.com/v1/notifications/certs/",
    "https://api.paypal.com/CERT-1",
    "https://api.paypal.com/v1/notifications/certs/CERT-1\n",
    " https://api.paypal.com/v1/notifications/certs/CERT-1",
    "//api.paypal.com/v1/notifications/certs/CERT-1",
    "https://169.254.169.254/v1/notifications/certs/CERT-1",
    "https://[::1]/v1/notifications/certs/CERT-1",
    "https://localhost/v1/notifications/certs/CERT-1",
    "file:///v1/notifications/certs/CERT-1",
    f"{OWN_URL}.evil.example/v1/notifications/certs/CERT-1",
    "http://127.0.0.1:8081/paypal/v1/notifications/certs/CERT-1",
    "http://127.0.0.1:8080/v1/notifications/certs/CERT-1",
    f"{OWN_URL}/../v1/notifications/certs/CERT-1",
]


@pytest.mark.parametrize("address", FORGED_ADDRESSES)
def test_a_forged_address_is_never_read(address: str) -> None:
    with respx.mock(assert_all_called=False) as router:
        everywhere = router.route().mock(
            return_value=httpx.Response(200, content=authority().leaf())
        )
        paypal = adapter(PAYPAL_CA_PEM=authority().setting, PAYPAL_API_URL=OWN_URL)
        with pytest.raises(SignatureRefused):
            paypal.read_event(signed(BODY, cert_url=address), NOW)
        assert not everywhere.called


@pytest.mark.parametrize(
    ("address", "livemode"),
    [
        ("https://api.paypal.com/v1/notifications/certs/CERT-1", True),
        ("https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1", False),
        ("https://api-m.sandbox.paypal.com/v1/notifications/certs/CERT-1", False),
        ("https://paypal.com/v1/notifications/certs/CERT_1", True),
    ],
)
def test_the_mode_is_that_of_the_certificates_host(address: str, livemode: bool) -> None:
    assert read(signed(BODY, cert_url=address), url=address).livemode is livemode


@pytest.mark.parametrize("livemode", [True, False])
@pytest.mark.parametrize("setting", [OWN_URL, f"{OWN_URL}/"])
def test_the_operators_own_address_has_the_deployments_mode(livemode: bool, setting: str) -> None:
    url = f"{OWN_URL}/v1/notifications/certs/CERT-1"
    settings = settings_of(livemode, PAYPAL_API_URL=setting, PAYPAL_CA_PEM=authority().setting)
    with respx.mock as router:
        router.get(url).mock(return_value=httpx.Response(200, content=authority().leaf()))
        hint = PayPal(settings, KeptTokens()).read_event(signed(BODY, cert_url=url), NOW)
    assert hint.livemode is livemode


def test_an_address_of_ours_is_none_where_it_is_not_set() -> None:
    url = f"{OWN_URL}/v1/notifications/certs/CERT-1"
    with pytest.raises(SignatureRefused):
        read(signed(BODY, cert_url=url), url=url)


def test_no_error_repeats_what_was_sent() -> None:
    callback = signed(BODY, webhook_id="another")
    with pytest.raises(TollgateError) as raised:
        read(callback)
    assert callback.headers["paypal-transmission-sig"] not in str(raised.value)
    assert WEBHOOK_ID not in str(raised.value)
