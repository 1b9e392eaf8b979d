"""A webhook's signature, and the certificate that it names: where it may be, and whose."""

import base64
import gzip
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import certifi
import httpx
import pytest
import respx
from cryptography.hazmat.primitives.serialization import Encoding

from tests.psp.paypal_certificates import (
    CERT_URL,
    NAME,
    NOW,
    WEBHOOK_ID,
    YEAR,
    Authority,
    ec_key,
    signed,
)
from tests.psp.paypal_values import KeptTokens, adapter, settings_of
from tollgate.domain.callback import Callback
from tollgate.domain.errors import (
    Misconfigured,
    PspUnavailable,
    SignatureRefused,
    TollgateError,
    WebhookMalformed,
)
from tollgate.domain.outcome import Hint
from tollgate.psp.paypal import PayPal

BODY = b'{"id": "WH-1", "event_type": "CHECKOUT.ORDER.APPROVED", "resource": {}}'
OWN_URL = "http://127.0.0.1:8080/paypal"


@cache
def authority() -> Authority:
    return Authority()


def read(
    callback: Callback,
    pem: bytes | httpx.Response | Exception | None = None,
    *,
    now: datetime = NOW,
    url: str = CERT_URL,
    **values: str,
) -> Hint:
    """What the adapter reads, where this is what is found at the certificate's address."""
    answer = pem if pem is not None else authority().leaf()
    if isinstance(answer, bytes):
        answer = httpx.Response(200, content=answer)
    values = {"PAYPAL_CA_PEM": authority().setting} | values
    with respx.mock(assert_all_called=False) as router:
        router.get(url).mock(side_effect=[answer])
        return adapter(**values).read_event(callback, now)


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


# Whose certificate it is


@pytest.mark.parametrize(
    "name",
    [
        "evil.example",
        "paypal.com.evil.example",
        "evilpaypal.com",
        "messageverificationcerts.paypal.com.evil.example",
    ],
)
def test_refuses_a_certificate_in_another_name(name: str) -> None:
    with pytest.raises(SignatureRefused):
        read(signed(BODY), authority().leaf(name))


@pytest.mark.parametrize("name", ["paypal.com", "messageverificationcerts.paypal.com", NAME])
def test_takes_a_certificate_in_paypals_name(name: str) -> None:
    assert read(signed(BODY), authority().leaf(name)).event_id == "WH-1"


def test_refuses_a_certificate_that_another_authority_vouches_for() -> None:
    with pytest.raises(SignatureRefused):
        read(signed(BODY), Authority().leaf())


def test_refuses_what_no_public_authority_vouches_for() -> None:
    with pytest.raises(SignatureRefused):
        read(signed(BODY), PAYPAL_CA_PEM="none")


def test_takes_what_a_public_authority_vouches_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = folder / "public.pem"
    unreadable = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    public.write_bytes(unreadable + base64.b64decode(authority().setting))
    monkeypatch.setattr(certifi, "where", lambda: str(public))
    assert read(signed(BODY), PAYPAL_CA_PEM="none").event_id == "WH-1"


def test_an_authority_sent_along_is_not_believed() -> None:
    forger = Authority()
    chain = forger.leaf() + forger.certificate.public_bytes(Encoding.PEM)
    with pytest.raises(SignatureRefused):
        read(signed(BODY), chain)


def test_refuses_a_certificate_before_and_after_its_time() -> None:
    leaf = authority().leaf(since=NOW, until=NOW + YEAR)
    for now in (NOW - timedelta(seconds=1), NOW + YEAR + timedelta(seconds=1)):
        with pytest.raises(SignatureRefused):
            read(signed(BODY), leaf, now=now)
    for now in (NOW, NOW + YEAR):
        assert read(signed(BODY), leaf, now=now).event_id == "WH-1"


def test_a_kept_certificate_is_read_once_and_expires_all_the_same() -> None:
    paypal = adapter(PAYPAL_CA_PEM=authority().setting)
    leaf = authority().leaf(until=NOW + YEAR)
    with respx.mock as router:
        route = router.get(CERT_URL).mock(return_value=httpx.Response(200, content=leaf))
        for _ in range(3):
            paypal.read_event(signed(BODY), NOW)
        with pytest.raises(SignatureRefused):
            paypal.read_event(signed(BODY), NOW + YEAR + timedelta(days=1))
        assert route.call_count == 1


def test_a_refused_certificate_is_not_kept() -> None:
    paypal = adapter(PAYPAL_CA_PEM=authority().setting)
    with respx.mock as router:
        wrong, right = Authority().leaf(), authority().leaf()
        answers = [httpx.Response(200, content=pem) for pem in (wrong, right)]
        router.get(CERT_URL).mock(side_effect=answers)
        with pytest.raises(SignatureRefused):
            paypal.read_event(signed(BODY), NOW)
        assert paypal.read_event(signed(BODY), NOW).event_id == "WH-1"


def test_refuses_a_key_that_is_none_of_rsa() -> None:
    with pytest.raises(SignatureRefused):
        read(signed(BODY), authority().leaf(key=ec_key()))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"x" * 70_000,
        authority().leaf() * 9,
        httpx.Response(404),
        httpx.Response(200, content=gzip.compress(authority().leaf())),
    ],
    ids=["empty", "html", "no-certificate", "too-long", "too-many", "404", "compressed"],
)
def test_refuses_what_is_no_certificate(answer: bytes | httpx.Response) -> None:
    with pytest.raises(SignatureRefused):
        read(signed(BODY), answer)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(429),
        httpx.Response(302, headers={"location": "https://api.paypal.com/elsewhere"}),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
    ],
    ids=repr,
)
def test_a_certificate_that_can_not_be_read_is_no_refusal(
    answer: httpx.Response | Exception,
) -> None:
    with pytest.raises(PspUnavailable):
        read(signed(BODY), answer)


@pytest.mark.parametrize("value", ["not base64!", base64.b64encode(b"no PEM").decode()])
def test_an_authority_that_can_not_be_read_is_a_setting_to_mend(value: str) -> None:
    with pytest.raises(Misconfigured, match="PAYPAL_CA_PEM"):
        read(signed(BODY), PAYPAL_CA_PEM=value)


def test_no_error_repeats_what_was_sent() -> None:
    callback = signed(BODY, webhook_id="another")
    with pytest.raises(TollgateError) as raised:
        read(callback)
    assert callback.headers["paypal-transmission-sig"] not in str(raised.value)
    assert WEBHOOK_ID not in str(raised.value)
