"""What a warm paid-check costs: one message to Redis, one signature, nothing else."""

import jwt
import pytest

from tests.callers import note_sent
from tests.world import Answer, World
from tollgate.domain.payment import PaymentStatus
from tollgate.storage import admissions

Sent = list[str]


@pytest.fixture
def paid(world: World) -> World:
    """client-1 has paid, and every cache is warm."""
    request, key = {"client_id": "client-1", "plan": "monthly"}, {"idempotency-key": "k"}
    world.call("payments/create", body=request, headers=key)
    world.psp.status = PaymentStatus.SUCCEEDED
    assert check(world).json["active"]
    return world


@pytest.fixture
def sent(paid: World, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Everything that goes out from now on, and each signature."""
    return note_sent(monkeypatch)


def check(world: World, key: str | None = None) -> Answer:
    return world.call("subscriptions/check", method="GET", path="/client-1", key=key)


def test_by_api_key(paid: World, sent: Sent) -> None:
    answer = check(paid)
    assert (answer.json["active"], answer.json["source"]) == (True, "cache")
    assert sent == ["redis", "signature"]


def test_by_api_key_in_a_container_that_was_just_started(paid: World, sent: Sent) -> None:
    """Another container asked within the minute, so nothing is in this one's memory."""
    admissions.forget()
    assert check(paid).json["source"] == "cache"
    assert sent == ["redis", "signature"]


def test_by_a_clients_token(paid: World, sent: Sent) -> None:
    request = {
        "grant_type": "client_credentials",
        "client_id": paid.app.key.split("_")[2],
        "client_secret": paid.app.key,
        "subject": "client-1",
    }
    plain = {"content-type": "application/json", "authorization": ""}
    token = paid.call("auth/token", body=request, headers=plain).json["access_token"]
    sent.clear()
    assert check(paid, token).json["source"] == "cache"
    assert sent == ["redis", "signature"]


def test_the_signature_holds(paid: World) -> None:
    """By another library, from the public keys alone; for as long as the contract says."""
    keys = paid.call("auth/keys", method="GET").json["keys"]
    answer = check(paid).json
    claims = jwt.decode(
        answer["entitlement"],
        jwt.PyJWK(keys[0]).key,
        algorithms=["EdDSA"],
        audience=paid.app.id,
        issuer=paid.settings.public_url,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["sub"] == "client-1"
    assert claims["active"] is True
    assert claims["product"] == paid.product
    assert claims["paid_through"] == answer["paid_through"]
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert claims["iat"] == int(paid.now.timestamp())
    assert jwt.get_unverified_header(answer["entitlement"]) == {
        "alg": "EdDSA",
        "typ": "entitlement+jwt",
        "kid": "e1",
    }


def test_there_is_no_signed_no(world: World) -> None:
    answer = check(world).json
    assert (answer["active"], answer["entitlement"]) == (False, None)
