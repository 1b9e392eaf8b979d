"""What is secret is nowhere to be found: not in logs, errors, answers, the audit log or Redis.

A canary is put into every field that is secret or personal, everything is called, well and badly,
and then all that came out is searched for each canary: as it is, in base64, hex and URL-encoded.
"""

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import psycopg
import pytest
import redis

from tests.journeys.conftest import Served

CARD = "4242 4242 4242 4242"


@dataclass
class Canaries:
    """Each under a name, and everything that was answered while they were about."""

    email: str = field(default_factory=lambda: f"canary-{secrets.token_hex(6)}@example.com")
    phone: str = field(default_factory=lambda: f"+2547{secrets.randbelow(10**8):08}")
    name: str = field(default_factory=lambda: f"Canary {secrets.token_hex(6)}")
    secret: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)

    def all(self) -> dict[str, str]:
        """Every canary by its name."""
        return {"email": self.email, "phone": self.phone, "name": self.name, **self.secret}

    @property
    def customer(self) -> dict[str, str]:
        """Who pays."""
        return {"email": self.email, "phone": self.phone, "name": self.name}

    def hear(self, answer: httpx.Response) -> Any:
        """Keeps what was answered, headers and all."""
        self.answers.append(f"{answer.headers} {answer.text}")
        return answer


def forms(canary: str) -> Iterator[bytes]:
    """How a text may be written down: base64 has three, after what stands before it."""
    raw = canary.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield quote(canary, safe="").encode()
    yield quote_plus(canary).encode()
    yield json.dumps(canary)[1:-1].encode()
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # without the characters that what stands around it has a part in
            inner = encode(b"\0" * shift + raw).rstrip(b"=")
            yield inner[4 if shift else 0 : -2]


@pytest.fixture(scope="module")
def canaries(system: Served) -> Canaries:
    """The canaries, after the system was called with them in every way."""
    found = Canaries()
    environment = system.environment
    found.secret = {
        "app key": system.app["key"].split("_")[3],
        "admin key": system.described["admin_key"].split("_")[3],
        "database password": system.database_password,
        **{
            name: environment[name]
            for name in ("CACHE_SECRET", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
        },
        **{
            name: environment[name].partition(":")[2]
            for name in ("ACCESS_TOKEN_KEYS", "ENTITLEMENT_KEYS", "FIELD_KEYS")
        },
    }
    _take_payments(system, found)
    _mint_tokens(system, found)
    _make_keys(system, found)
    _send_nonsense(system, found)
    return found


def _take_payments(served: Served, canaries: Canaries) -> None:
    for client_id, faults in (("canary-1", {}), ("canary-2", {"status_5xx": 503})):
        served.faults(**faults)
        answer = canaries.hear(served.create(client_id, customer=canaries.customer))
        served.faults()
        if answer.status_code == 201:
            canaries.hear(served.press(answer.json(), "pay"))
        get = f"{served.rest_url}/payments/{answer.json().get('id')}"
        canaries.hear(served.http.get(get, headers=served.authorization))
        check = f"{served.rest_url}/subscriptions/{client_id}"
        canaries.hear(served.http.get(check, headers=served.authorization))


def _mint_tokens(served: Served, canaries: Canaries) -> None:
    key_id, token = served.app["key"].split("_")[2], ""
    for password in (served.app["key"], served.app["key"][:-1]):
        answer = served.http.post(
            f"{served.described['base_url']}/auth/token",
            data={"grant_type": "client_credentials", "subject": "canary-1"},
            auth=(key_id, password),
        )
        if answer.status_code == 200:
            token = answer.json()["access_token"]
            canaries.secret["token"] = token.rpartition(".")[2]
        else:
            canaries.hear(answer)
    assert token
    for bearer in (token, f"{token}x", served.app["key"][:-1], f"{served.app['key']}0"):
        headers = {"Authorization": f"Bearer {bearer}"}
        canaries.hear(served.http.get(f"{served.rest_url}/subscriptions/c", headers=headers))


def _make_keys(served: Served, canaries: Canaries) -> None:
    admin = {"Authorization": f"Bearer {served.described['admin_key']}"}
    keys = f"{served.described['base_url']}/admin/keys"
    body = {"app_id": served.app["id"], "name": "canary"}
    made = served.http.post(keys, json=body, headers=admin).json()
    canaries.secret["new key"] = made["key"].split("_")[3]
    rotated = served.http.post(f"{keys}/{made['id']}", json={}, headers=admin).json()
    canaries.secret["rotated key"] = rotated["key"].split("_")[3]
    for answer in (
        served.http.get(keys, headers=admin),
        served.http.get(f"{keys}/{made['id']}", headers=admin),
        served.http.put(f"{keys}/{made['id']}", json={"calls_per_minute": 7}, headers=admin),
        served.http.delete(f"{keys}/{made['id']}", headers=admin),
        served.http.delete(f"{keys}/{rotated['id']}", headers=admin),
    ):
        assert answer.status_code == 200
        canaries.hear(answer)


def _send_nonsense(served: Served, canaries: Canaries) -> None:
    """Every field with what it must not hold, and each canary where it does not belong."""
    headers = {**served.authorization, "Idempotency-Key": "canary-nonsense"}
    payments = f"{served.rest_url}/payments"
    for wrong in (
        {"customer": {**canaries.customer, "age": 7}},
        {"customer": {**canaries.customer, "phone": canaries.email}},
        {"customer": {**canaries.customer, "name": canaries.name + "\0"}},
        {"customer": canaries.email},
        {"customer": {**canaries.customer, "name": CARD}},
        {"plan": "none", "customer": canaries.customer},
        {"amount": canaries.phone},
    ):
        body = {"client_id": "canary-3", "plan": "monthly", **wrong}
        answer = canaries.hear(served.http.post(payments, json=body, headers=headers))
        assert answer.status_code == 422
    half = json.dumps({"client_id": "c", "customer": canaries.customer})[:-5]
    canaries.hear(served.http.post(payments, content=half, headers=headers))
    event = {"id": "evt_1", "type": "x", "data": {"object": canaries.customer}}
    forged = {"Stripe-Signature": f"t=1,v1={served.environment['STRIPE_WEBHOOK_SECRET']}"}
    hook = f"{served.rest_url}/webhook/stripe"
    canaries.hear(served.http.post(hook, json=event, headers=forged))


def _assert_silent(canaries: Canaries, where: str, everything: bytes) -> None:
    assert everything, f"nothing was found to search in {where}"
    for name, canary in canaries.all().items():
        for form in forms(canary):
            assert form not in everything, f"the canary {name} is in {where}"


def test_not_in_answers(canaries: Canaries) -> None:
    _assert_silent(canaries, "answers", "\n".join(canaries.answers).encode())


def test_not_in_logs(served: Served, canaries: Canaries) -> None:
    log = "\n".join(served.log)
    assert log.count('"event": "call"') > 20
    _assert_silent(canaries, "logs", log.encode())


def test_not_in_the_audit_log_nor_in_any_other_table(served: Served, canaries: Canaries) -> None:
    assert served.rows("SELECT count(customer), count(payload) FROM payments, inbox") != [(0, 0)]
    with psycopg.connect(served.described["database_url"]) as connection:
        tables = connection.execute(
            """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
               AND relkind = 'r' AND has_table_privilege(oid, 'SELECT')"""
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(f"SELECT t::text FROM {table} t".encode()).fetchall()
            _assert_silent(canaries, table, repr(rows).encode())
            assert b"4242424242424242" not in repr(rows).encode()


def test_not_in_redis(served: Served, canaries: Canaries) -> None:
    client = redis.Redis.from_url(served.described["redis_url"])
    names = list(client.scan_iter())
    assert any(name.startswith(b"key:") for name in names)
    assert any(name.startswith(b"access:") for name in names)
    _assert_silent(canaries, "Redis", b"\n".join(names))
    for name in names:
        read: Any = client.hgetall if client.type(name) == b"hash" else client.get
        _assert_silent(canaries, f"Redis: {name!r}", repr(read(name)).encode())
    client.close()


def test_the_search_finds_what_is_there() -> None:
    canary = "canary-7@example.com"
    for around in (b"", b"x", b"xy", b"xyz"):
        shown = around + canary.encode() + around
        for written in (shown, base64.b64encode(shown), shown.hex().encode()):
            assert any(form in written for form in forms(canary))
    assert any(form in quote(canary, safe="").encode() for form in forms(canary))
    assert not any(form in b"nothing of the kind" for form in forms(canary))
