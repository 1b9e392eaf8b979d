"""What is signed is believed; what is forged, bent, old or somebody else's is not."""

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import jwt
import pytest

from clients.python.tests.conftest import BASE_URL, NOW, Signer, encoded
from tollgate_client import EntitlementRefused, Entitlements

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def entitlements(signer: Signer, now: float = NOW, **settings: Any) -> Entitlements:
    def jwks() -> dict[str, Any]:
        return {"keys": [signer.jwk]}

    return Entitlements(BASE_URL, "app_1", jwks, clock=lambda: now, **settings)


def refused(verifier: Entitlements, token: Any, *asked: str) -> str:
    """Why it is refused. It tells nothing of what stands in it."""
    with pytest.raises(EntitlementRefused) as caught:
        verifier.verify(token, *asked)
    reason = str(caught.value)
    for data in ("client-", "app_", "pro.", "monthly", "2030", "eyJ"):
        assert data not in reason
    return reason


def test_what_is_signed_is_believed(signer: Signer) -> None:
    entitlement = entitlements(signer).verify(signer.token(), "client-1", "pro")
    assert (entitlement.client_id, entitlement.product) == ("client-1", "pro")
    assert (entitlement.plan, entitlement.reason) == ("monthly", "paid")
    assert entitlement.paid_through == datetime(2030, 4, 17, 17, 46, 40, tzinfo=timezone.utc)
    assert entitlement.issued_at.timestamp() == NOW - 10
    assert entitlement.expires_at.timestamp() == NOW + 890


def test_what_another_library_signs_is_believed(signer: Signer) -> None:
    header = {"typ": "entitlement+jwt", "kid": signer.key_id}
    token = jwt.encode(signer.claims(), signer.private, "EdDSA", header)
    assert entitlements(signer).verify(token).client_id == "client-1"


def test_a_trial_has_nothing_paid(signer: Signer) -> None:
    token = signer.token(reason="trial", paid_through=None, plan=None, new_claim=[1])
    entitlement = entitlements(signer).verify(token)
    assert (entitlement.paid_through, entitlement.plan) == (None, None)


def test_a_slash_behind_the_issuer_does_not_matter(signer: Signer) -> None:
    verifier = Entitlements(
        f"{BASE_URL}/", "app_1", lambda: {"keys": [signer.jwk]}, clock=lambda: NOW
    )
    assert verifier.verify(signer.token()).client_id == "client-1"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://evil.example"}, "another Tollgate"),
        ({"iss": f"{BASE_URL}/"}, "another Tollgate"),
        ({"iss": [BASE_URL]}, "another Tollgate"),
        ({"iss": None}, "another Tollgate"),
        ({"aud": "app_2"}, "another app"),
        ({"aud": ["app_1"]}, "another app"),
        ({"aud": None}, "another app"),
        ({"active": False}, "active"),
        ({"active": "true"}, "active"),
        ({"active": 1}, "active"),
        ({"active": None}, "active"),
        ({"exp": NOW}, "expired"),
        ({"exp": 0}, "expired"),
        ({"iat": NOW + 61}, "future"),
        ({"exp": True}, "claims"),
        ({"exp": str(NOW + 890)}, "claims"),
        ({"exp": NOW + 890.0}, "claims"),
        ({"exp": None}, "claims"),
        ({"exp": 10**300}, "claims"),
        ({"exp": -5}, "claims"),
        ({"iat": False}, "claims"),
        ({"iat": NOW - 10.5}, "claims"),
        ({"iat": None}, "claims"),
        ({"sub": None}, "claims"),
        ({"sub": ""}, "claims"),
        ({"sub": ["client-1"]}, "claims"),
        ({"product": None}, "claims"),
        ({"plan": 7}, "claims"),
        ({"reason": None}, "claims"),
        ({"paid_through": 5}, "claims"),
        ({"paid_through": "soon"}, "claims"),
        ({"paid_through": "2030-04-17T17:46:40"}, "claims"),
    ],
    ids=str,
)
def test_wrong_claims_are_refused(signer: Signer, claims: dict[str, Any], reason: str) -> None:
    assert reason in refused(entitlements(signer), signer.token(**claims))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "product", "active", "reason", "iat", "exp"])
def test_missing_claims_are_refused(signer: Signer, name: str) -> None:
    claims = {known: value for known, value in signer.claims().items() if known != name}
    token = signer.sign(json.dumps(signer.header()).encode(), json.dumps(claims).encode())
    refused(entitlements(signer), token)


def test_it_is_for_this_client_and_this_product(signer: Signer) -> None:
    verifier, token = entitlements(signer), signer.token()
    assert "another client" in refused(verifier, token, "client-2")
    assert "another client" in refused(verifier, token, "")
    assert "another product" in refused(verifier, token, "client-1", "max")
    assert "another product" in refused(verifier, token, "client-1", "")


def test_time_is_exact_unless_said_otherwise(signer: Signer) -> None:
    token = signer.token(iat=NOW, exp=NOW + 10)
    assert entitlements(signer, NOW + 9.999).verify(token)
    assert "expired" in refused(entitlements(signer, NOW + 10), token)
    lenient = entitlements(signer, NOW + 14, exp_leeway_seconds=5)
    assert lenient.verify(token)
    assert "expired" in refused(entitlements(signer, NOW + 15, exp_leeway_seconds=5), token)
    assert entitlements(signer, NOW - 60).verify(token)
    assert "future" in refused(entitlements(signer, NOW - 61), token)
    assert "future" in refused(entitlements(signer, NOW - 1, iat_leeway_seconds=0), token)


@pytest.mark.parametrize(
    "changed",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": "eddsa"},
        {"alg": "Ed25519"},
        {"alg": None},
        {"alg": ["EdDSA"]},
        {"typ": "JWT"},
        {"typ": "at+jwt"},
        {"typ": "Entitlement+JWT"},
        {"typ": None},
        {"kid": "another"},
        {"kid": None},
        {"kid": 5},
        {"kid": ["2030a"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"jwk": {"kty": "OKP"}},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/certificate"},
        {"x5c": ["MII"]},
        {"b64": False},
    ],
    ids=str,
)
def test_another_header_is_refused_though_it_is_signed(
    signer: Signer, changed: dict[str, Any]
) -> None:
    refused(entitlements(signer), signer.token(signer.header(**changed)))


def test_a_token_without_a_signature_is_refused(signer: Signer) -> None:
    for algorithm in ("none", "EdDSA"):
        header = encoded(json.dumps(signer.header(alg=algorithm)).encode())
        refused(entitlements(signer), f"{header}.{signer.token().split('.')[1]}.")


def test_a_public_key_is_no_shared_secret(signer: Signer) -> None:
    header = {"typ": "entitlement+jwt", "kid": signer.key_id}
    token = jwt.encode(signer.claims(), signer.public, "HS256", header)
    assert "another kind" in refused(entitlements(signer), token)


def test_somebody_elses_signature_is_refused(signer: Signer) -> None:
    assert "signature" in refused(entitlements(signer), Signer().token())


def test_a_signature_is_for_its_own_content(signer: Signer) -> None:
    header, payload, signature = signer.token().split(".")
    other = signer.token(sub="client-2").split(".")[1]
    assert "signature" in refused(entitlements(signer), f"{header}.{other}.{signature}")
    longer = encoded(json.dumps({**signer.header(), "cty": "x"}).encode())
    assert "signature" in refused(entitlements(signer), f"{longer}.{payload}.{signature}")


def test_no_character_can_be_changed(signer: Signer) -> None:
    """The last character of a part has bits that a lenient decoder does not look at."""
    verifier, token = entitlements(signer), signer.token()
    ends = {len(token) - 1, token.index(".") - 1, token.rindex(".") - 1}
    for place in ends | set(range(0, len(token), 7)):
        for letter in ALPHABET if place in ends else "A.":
            if letter != token[place]:
                refused(verifier, f"{token[:place]}{letter}{token[place + 1 :]}")


def test_a_part_has_one_spelling_even_when_the_signature_is_over_another(signer: Signer) -> None:
    header = encoded(json.dumps(signer.header()).encode())
    payload = encoded(json.dumps(signer.claims(plan="m")).encode())
    bent = next(
        f"{payload[:-1]}{letter}"
        for letter in ALPHABET
        if len(payload) % 4 and ALPHABET.index(letter) == ALPHABET.index(payload[-1]) + 1
    )
    for part in (bent, f"{payload}=", f"{payload}==", f"{payload}\n", f" {payload}", f"{payload}%"):
        signed = f"{header}.{part}"
        token = f"{signed}.{encoded(signer.private.sign(signed.encode()))}"
        assert "not a token" in refused(entitlements(signer), token)


@pytest.mark.parametrize(
    "bend",
    [
        lambda token: token + "=",
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token + ".",
        lambda token: token.replace(".", "..", 1),
        lambda token: token.rpartition(".")[0],
        lambda token: token.encode(),
        lambda token: None,
        lambda token: [token],
        lambda token: "",
        lambda token: "..",
        lambda token: "é.é.é",
        lambda token: token + "é",
        lambda token: "\ud800.a.b",
        lambda token: "A" * 4097,
        lambda token: "A" * 1_000_000 + "..",
    ],
)
def test_what_is_no_token_is_refused(signer: Signer, bend: Callable[[str], Any]) -> None:
    assert "not a token" in refused(entitlements(signer), bend(signer.token()))


def test_four_kibibytes_are_enough(signer: Signer) -> None:
    assert entitlements(signer).verify(signer.token(note="x" * 2500))
    assert "not a token" in refused(entitlements(signer), signer.token(note="x" * 3000))


@pytest.mark.parametrize(
    "payload",
    [
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"{}{}",
        b"[" * 2500,
        b'{"a":' * 500,
        b'{"exp": NaN}',
        b'{"exp": Infinity}',
        b'{"exp": %s}' % (b"9" * 2400),
    ],
    ids=repr,
)
def test_what_is_no_json_object_is_refused_though_it_is_signed(
    signer: Signer, payload: bytes
) -> None:
    header = json.dumps(signer.header()).encode()
    refused(entitlements(signer), signer.sign(header, payload))
    assert "not a token" in refused(entitlements(signer), signer.sign(payload, payload))


@pytest.mark.parametrize("name", ["exp", "sub", "iss"])
def test_a_name_that_occurs_twice_is_refused(signer: Signer, name: str) -> None:
    claims = json.dumps(signer.claims())
    twice = claims[:-1] + f', "{name}": {json.dumps(signer.claims()[name])}}}'
    header = json.dumps(signer.header()).encode()
    assert "not a token" in refused(entitlements(signer), signer.sign(header, twice.encode()))
    header_twice = json.dumps(signer.header())[:-1] + ', "alg": "EdDSA"}'
    token = signer.sign(header_twice.encode(), claims.encode())
    assert "not a token" in refused(entitlements(signer), token)
