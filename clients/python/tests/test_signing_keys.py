"""The public keys: fetched seldom, by one thread, and kept while the network is gone."""

import threading
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from clients.python.tests.conftest import Signer
from tollgate_client import ConnectionFailed, EntitlementRefused, Entitlements
from tollgate_client.signing_keys import SigningKeys, read_jwks


class Publisher:
    """Publishes keys, or fails; counts how often it was asked."""

    def __init__(self, *signers: Signer) -> None:
        self.answer: Any = {"keys": [signer.jwk for signer in signers]}
        self.asked = 0
        self.now = 1000.0
        self.keys = SigningKeys(self.fetch, monotonic=lambda: self.now)

    def fetch(self) -> Mapping[str, Any]:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        answer: Mapping[str, Any] = self.answer
        return answer

    def found(self, signer: Signer) -> bool:
        key = self.keys.find(signer.key_id)
        return key is not None and key.public_bytes_raw() == signer.public


def test_they_are_fetched_once_an_hour(signer: Signer) -> None:
    publisher = Publisher(signer)
    assert all(publisher.found(signer) for _ in range(100))
    publisher.now += 3599
    assert publisher.found(signer)
    assert publisher.asked == 1
    publisher.now += 1
    assert publisher.found(signer)
    assert publisher.asked == 2


def test_a_new_key_is_fetched_once_a_minute_at_most(signer: Signer) -> None:
    publisher, new = Publisher(signer), Signer("2030b")
    assert publisher.found(signer)
    publisher.answer = {"keys": [signer.jwk, new.jwk]}
    assert not any(publisher.found(new) for _ in range(100))
    assert publisher.asked == 1
    publisher.now += 60
    assert publisher.found(new)
    assert publisher.asked == 2
    publisher.now += 59
    assert not any(publisher.found(Signer(f"forged-{number}")) for number in range(100))
    assert publisher.asked == 2


def test_a_key_that_is_taken_away_counts_no_more(signer: Signer) -> None:
    publisher = Publisher(signer)
    assert publisher.found(signer)
    publisher.answer = {"keys": []}
    publisher.now += 3600
    assert not publisher.found(signer)


@pytest.mark.parametrize(
    "trouble",
    [
        ConnectionFailed("no answer"),
        httpx.ConnectError("refused"),
        OSError("no route"),
        {},
        {"keys": None},
        {"keys": {}},
        [],
        "text",
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "2030a", "x": "AAAA"}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "2030a", "x": "==="}]},
    ],
    ids=repr,
)
def test_the_last_ones_stay_while_there_are_no_others(signer: Signer, trouble: Any) -> None:
    publisher = Publisher(signer)
    assert publisher.found(signer)
    good, publisher.answer = publisher.answer, trouble
    publisher.now += 3600
    assert all(publisher.found(signer) for _ in range(100))
    assert publisher.asked == 2
    publisher.now += 60
    assert publisher.found(signer)
    assert publisher.asked == 3
    publisher.answer = good
    publisher.now += 60
    assert publisher.found(signer)
    publisher.now += 3599
    assert publisher.found(signer)
    assert publisher.asked == 4


def test_without_any_keys_nothing_is_believed(signer: Signer) -> None:
    publisher = Publisher()
    publisher.answer = OSError("no route")
    entitlements = Entitlements("https://h", "app_1", publisher.fetch)
    with pytest.raises(EntitlementRefused, match="key is not known"):
        entitlements.verify(signer.token())
    assert publisher.asked == 1


def test_many_threads_fetch_once(signer: Signer) -> None:
    publisher, started = Publisher(signer), threading.Barrier(8)
    in_fetch, go_on = threading.Event(), threading.Event()

    def fetch() -> Mapping[str, Any]:
        in_fetch.set()
        assert go_on.wait(10)
        return publisher.fetch()

    keys = SigningKeys(fetch, monotonic=lambda: publisher.now)
    found = []

    def find() -> None:
        started.wait(10)
        found.append(keys.find(signer.key_id))

    threads = [threading.Thread(target=find) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert in_fetch.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert publisher.asked == 1
    assert len(found) == 8
    assert None not in found


def test_who_has_a_key_does_not_wait_for_the_fetch(signer: Signer) -> None:
    publisher = Publisher(signer)
    in_fetch, go_on = threading.Event(), threading.Event()
    go_on.set()

    def fetch() -> Mapping[str, Any]:
        in_fetch.set()
        assert go_on.wait(10)
        return publisher.fetch()

    keys = SigningKeys(fetch, monotonic=lambda: publisher.now)
    assert keys.find(signer.key_id) is not None
    publisher.now += 3600
    in_fetch.clear()
    go_on.clear()
    slow = threading.Thread(target=keys.find, args=(signer.key_id,))
    slow.start()
    assert in_fetch.wait(10)
    quick = threading.Thread(target=keys.find, args=(signer.key_id,))
    quick.start()
    quick.join(5)
    waited = quick.is_alive()
    go_on.set()
    slow.join(10)
    quick.join(10)
    assert not waited


@pytest.mark.parametrize(
    "changed",
    [
        {"kty": "RSA"},
        {"kty": "EC"},
        {"crv": "X25519"},
        {"crv": "Ed448"},
        {"use": "enc"},
        {"alg": "RS256"},
        {"kid": None},
        {"kid": 5},
        {"x": None},
    ],
    ids=str,
)
def test_other_keys_are_passed_over(signer: Signer, changed: dict[str, Any]) -> None:
    other = {**Signer("other").jwk, **changed}
    assert list(read_jwks({"keys": [other, "text", None, signer.jwk]})) == ["2030a"]
