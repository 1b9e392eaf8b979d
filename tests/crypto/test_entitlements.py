"""Signed entitlements: the RFCs' own examples, and what an app's library makes of ours."""

import base64
import hashlib
import json
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tollgate.crypto.entitlements import jwks, sign, signature
from tollgate.domain.keyring import Keyring

# Seed, public key, message and signature of RFC 8032 §7.1, in hex; the first is RFC 8037's key too.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
        "f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098"
        "4dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
SEED = bytes.fromhex(RFC_8032[0][0])
OTHER_SEED = bytes.fromhex(RFC_8032[1][0])
RING = Keyring({"2026b": SEED, "2026a": OTHER_SEED})
CLAIMS = {
    "iss": "https://tollgate.example/live",
    "aud": "app_0199c1",
    "sub": "client_7",
    "active": True,
    "paid_through": None,
    "name": "Åsa ✓",
    "iat": 1_790_000_000,
}


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def as_an_app_reads(text: str, ring: Keyring) -> dict[str, object]:
    """The claims, by another implementation and the set of public keys only."""
    keys = jwt.PyJWKSet.from_dict(json.loads(json.dumps(jwks(ring))))
    key = keys[jwt.get_unverified_header(text)["kid"]]
    claims: dict[str, object] = jwt.decode(
        text, key, algorithms=["EdDSA"], audience="app_0199c1", issuer=str(CLAIMS["iss"])
    )
    return claims


@pytest.mark.parametrize(("seed", "public", "message", "expected"), RFC_8032)
def test_the_examples_of_rfc_8032(seed: str, public: str, message: str, expected: str) -> None:
    assert signature(bytes.fromhex(seed), bytes.fromhex(message)).hex() == expected
    (key,) = jwks(Keyring({"a": bytes.fromhex(seed)}))["keys"]
    assert decoded(key["x"]).hex() == public


def test_the_examples_of_rfc_8037() -> None:
    (key,) = jwks(Keyring({"a": SEED}))["keys"]
    assert decoded("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A") == SEED  # A.1
    assert key["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"  # A.2
    thumbprint = json.dumps(
        {name: key[name] for name in ("crv", "kty", "x")}, separators=(",", ":")
    )
    assert hashlib.sha256(thumbprint.encode()).digest() == decoded(  # A.3
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    )
    signing_input = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    assert signature(SEED, signing_input) == decoded(  # A.4
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )


def test_an_entitlement_is_a_jws_in_compact_form() -> None:
    text = sign(RING, CLAIMS)
    header, payload, signed = text.split(".")
    assert json.loads(decoded(header)) == {
        "alg": "EdDSA",
        "typ": "entitlement+jwt",
        "kid": "2026b",
    }
    assert json.loads(decoded(payload)) == CLAIMS
    assert decoded(signed) == signature(SEED, f"{header}.{payload}".encode())
    assert not set(text) & set("=+/\n ")


def test_the_set_has_the_public_half_of_every_key_and_nothing_else() -> None:
    published = jwks(RING)
    assert published == {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "kid": key_id,
                "use": "sig",
                "alg": "EdDSA",
                "x": base64.urlsafe_b64encode(bytes.fromhex(public)).rstrip(b"=").decode(),
            }
            for key_id, (_, public, _, _) in zip(("2026b", "2026a"), RFC_8032[:2], strict=True)
        ]
    }


def test_an_app_can_verify_with_the_public_keys() -> None:
    now = int(datetime.now(UTC).timestamp())
    claims = {**CLAIMS, "iat": now, "exp": now + 900}
    assert as_an_app_reads(sign(RING, claims), RING) == claims


def test_a_key_may_be_replaced() -> None:
    """What either key signed is verified while both are published, and not after."""
    now = int(datetime.now(UTC).timestamp())
    claims = {**CLAIMS, "iat": now, "exp": now + 900}
    old, new = {"2026a": OTHER_SEED}, {"2026b": SEED}
    for signing in (Keyring(old), Keyring(old | new), Keyring(new | old), Keyring(new)):
        assert as_an_app_reads(sign(signing, claims), Keyring(new | old)) == claims
    with pytest.raises(KeyError):
        as_an_app_reads(sign(Keyring(old), claims), Keyring(new))


@pytest.mark.parametrize("part", [0, 1, 2])
def test_an_app_refuses_what_was_changed(part: int) -> None:
    now = int(datetime.now(UTC).timestamp())
    mine, other = (
        sign(RING, {**CLAIMS, "iat": now, "exp": now + 900, "sub": sub}).split(".") for sub in "ab"
    )
    other[0] = sign(Keyring({"2026a": SEED}), CLAIMS).split(".")[0]
    mine[part] = other[part]
    with pytest.raises(jwt.InvalidSignatureError):
        as_an_app_reads(".".join(mine), RING)


def test_a_key_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Keyring({"once": bytes(range(32))})
    text = sign(ring, CLAIMS)
    monkeypatch.delattr(Ed25519PrivateKey, "from_private_bytes")
    assert sign(ring, CLAIMS) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", datetime.now(UTC)])
def test_what_json_cannot_hold_is_not_signed(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        sign(RING, {**CLAIMS, "more": value})
