"""Whose certificate a webhook is signed with, and until when it counts."""

import base64
import gzip
from datetime import timedelta
from pathlib import Path

import certifi
import httpx
import pytest
import respx
from cryptography.hazmat.primitives.serialization import Encoding

from tests.psp.paypal_certificates import (
    BODY,
    CERT_URL,
    NAME,
    NOW,
    YEAR,
    Authority,
    authority,
    ec_key,
    read,
    signed,
)
from tests.psp.paypal_values import adapter
from tollgate.domain.errors import (
    Misconfigured,
    PspUnavailable,
    SignatureRefused,
)


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
        authority().leaf() + b"\n" * 70_000,
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
