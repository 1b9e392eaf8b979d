"""Access tokens: how they are asked for (RFC 6749 §4.4), what they open, and when they end."""

import base64
import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import jwt
import psycopg
import pytest

from tests.callers import DEAD_REDIS, UNKNOWN_KEY, id_of
from tests.crypto import forgeries
from tests.operators import KeyOperator, Operator, pass_cached
from tests.world import Answer, World
from tollgate.domain.keyring import Keyring
from tollgate.domain.payment import PaymentStatus
from tollgate.operations.context import Context
from tollgate.storage import admissions

FORM = "application/x-www-form-urlencoded"
READS = "payments:read subscriptions:read"
EVERY_SCOPE = "payments:read payments:write subscriptions:read subscriptions:write"


@pytest.fixture
def keys(world: World) -> KeyOperator:
    return KeyOperator(world)


def request_of(key: str, **fields: Any) -> dict[str, Any]:
    sent = {"grant_type": "client_credentials", "client_id": id_of(key), "client_secret": key}
    return {name: value for name, value in {**sent, **fields}.items() if value is not None}


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def ask(
    world: World, body: Any, authorization: str = "", content_type: str = FORM, **how: Any
) -> Answer:
    """A dict goes as a form, unless `content_type` says otherwise."""
    if isinstance(body, dict):
        is_form = content_type.startswith(FORM)
        body = (urlencode(body) if is_form else json.dumps(body)).encode()
    headers = {"authorization": authorization, "content-type": content_type}
    return world.call("auth/token", body=body, headers=headers, **how)


def token(world: World, key: str | None = None, **fields: Any) -> str:
    answer = ask(world, request_of(key or world.app.key, **fields))
    assert answer.status == 200, answer.body
    text: str = answer.json["access_token"]
    return text


def refusal(answer: Answer) -> tuple[int, str]:
    """Status and error, of a problem document that is OAuth's too (RFC 6749 §5.2)."""
    problem, headers = answer.json, answer.headers
    assert headers["content-type"] == "application/problem+json"
    assert headers["cache-control"] == "no-store"
    assert problem["error"] == problem["code"]
    assert problem["error_description"] == problem["detail"]
    is_401 = answer.status == 401
    assert headers.get("www-authenticate") == ('Basic realm="tollgate"' if is_401 else None)
    return answer.status, problem["error"]


def read(world: World, function: str, target: str, bearer: str, **how: Any) -> Answer:
    return world.call(function, method="GET", path=f"/{target}", key=bearer, **how)


class TestAsked:
    def test_in_every_form(self, world: World) -> None:
        key = world.app.key
        sent = request_of(key)
        bare, header = {"grant_type": "client_credentials"}, basic(id_of(key), key)
        encoded = "".join(f"%{ord(letter):02X}" for letter in key)  # as RFC 6749 §2.3.1 allows
        answers = [
            ask(world, sent),
            ask(world, sent, content_type=f"{FORM}; charset=UTF-8"),
            ask(world, sent, content_type="application/json"),
            ask(world, sent, content_type="Application/JSON; charset=utf-8"),
            ask(world, urlencode(sent).encode(), content_type="text/plain"),
            ask(world, urlencode(sent).encode(), content_type=""),
            ask(world, bare, header),
            ask(world, bare, header.replace("Basic ", "basic  "), "application/json"),
            ask(world, bare, basic(quote(id_of(key)), encoded)),
            ask(world, sent | {"more": "1", "resource": "x"}),
            ask(world, sent | {"more": [1]}, content_type="application/json"),
            ask(world, bare | {"client_id": "", "scope": "", "subject": "", "x": ""}, header),
        ]
        for answer in answers:
            assert answer.status == 200, answer.body
            body = answer.json
            assert jwt.decode(body.pop("access_token"), options={"verify_signature": False})
            assert body == {"token_type": "Bearer", "expires_in": 600, "scope": EVERY_SCOPE}
            assert answer.headers["cache-control"] == "no-store"

    def test_what_it_says(self, world: World) -> None:
        told = jwt.decode(token(world, subject="client-1"), options={"verify_signature": False})
        assert len(told.pop("jti")) == 32
        now = int(world.now.timestamp())
        assert told == {
            "iss": world.settings.public_url,
            "aud": world.settings.public_url,
            "iat": now,
            "exp": now + 600,
            "client_id": id_of(world.app.key),
            "sub": "client-1",
            "role": "client",
            "scope": READS,
        }

    def test_malformed(self, world: World) -> None:
        key = world.app.key
        sent = request_of(key)
        form, header = urlencode(sent).encode(), basic(id_of(key), key)
        invalid = (400, "invalid_request")
        for answer in (
            ask(world, sent, header),
            ask(world, {"grant_type": "client_credentials", "client_id": id_of(key)}, header),
            *(ask(world, form + b"&" + name + b"=x") for name in (b"client_id", b"scope&scope")),
            ask(world, form + b"&scope=%FF"),
            ask(world, form + b"&scope=%ED%A0%80"),
            ask(world, form + b"&" + b"&".join(b"f%d=1" % number for number in range(20))),
            ask(world, sent | {"scope": "x" * 513}),
            *(ask(world, sent | {"subject": x}) for x in ("../x", "a b", "a\0", "é", "a" * 129)),
            *(
                ask(world, body, content_type="application/json")
                for body in (b"{", b"[]", b"null", b'{"scope": "\\ud800"}', b"[" * 9_999)
            ),
            *(
                ask(world, sent | {name: value}, content_type="application/json")
                for name in sent
                for value in (7, True, [sent[name]], float("nan"))
            ),
            ask(world, b""),  # a required parameter is missing
            ask(world, request_of(key, grant_type="")),
        ):
            assert refusal(answer) == invalid
            assert key[25:] not in answer.body
        for grant_type in ("password", "CLIENT_CREDENTIALS", "client_credentials ", "\0"):
            answer = ask(world, request_of(key, grant_type=grant_type))
            assert refusal(answer) == (400, "unsupported_grant_type")
        too_long = ask(world, b"x" * 65_537)
        assert (too_long.status, too_long.json["code"]) == (413, "content_too_large")

    def test_by_who_is_not_its_holder(self, world: World, keys: KeyOperator) -> None:
        key, other = world.app.key, world.other_app.key
        ended, expired, of_gone = keys.new(), keys.new(expires_at="2026-01-31T09:00:10Z"), other
        keys.ask("DELETE", f"/{ended['id']}")
        Operator(world, "apps").ask("DELETE", f"/{world.other_app.id}")
        world.pass_time(seconds=10)
        bare = {"grant_type": "client_credentials"}
        bodies: list[dict[str, Any]] = [
            request_of(UNKNOWN_KEY),
            request_of(key, client_id=id_of(other)),
            request_of(key, client_id=world.app.id),
            request_of(key, client_id=None),
            request_of(key, client_secret=None),
            request_of(key, client_secret=key.split("_")[3]),
            request_of(key, client_secret=key[:25] + other[25:]),
            request_of(key, client_secret=key.replace("_test_", "_live_")),
            request_of(key, client_secret=key + "\0"),
            bare,
            *(request_of(x) for x in (ended["key"], expired["key"], of_gone)),
        ]
        headers = [
            f"Bearer {key}",
            basic(id_of(key), key).replace("Basic", "Bearer"),
            basic("", key),
            basic(id_of(other), key),
            basic(id_of(key), UNKNOWN_KEY),
            basic(id_of(key), key.replace("_", "%5F%ZZ")),
            *("Basic", "Basic !", "Basic /w==", "Basic \ud800"),
        ]
        answers = [ask(world, body) for body in bodies]
        answers += [ask(world, bare, header) for header in headers]
        assert {refusal(answer) for answer in answers} == {(401, "invalid_client")}
        assert len({answer.body for answer in answers}) == 1

    def test_scopes_narrow(self, world: World, keys: KeyOperator) -> None:
        narrow = keys.new(scopes=["payments:read", "payments:write"])["key"]
        for key, fields, scope in (
            (world.app.key, {"scope": "payments:read"}, "payments:read"),
            (world.app.key, {"scope": " payments:read  payments:read "}, "payments:read"),
            (world.app.key, {"subject": "c"}, READS),
            (world.app.key, {"subject": "c", "scope": "payments:read"}, "payments:read"),
            (narrow, {}, "payments:read payments:write"),
            (narrow, {"subject": "c"}, "payments:read"),
            (world.seed.admin_key, {"scope": "admin:read"}, "admin:read"),
        ):
            assert ask(world, request_of(key, **fields)).json["scope"] == scope
        only_writes = keys.new(scopes=["payments:write"])["key"]
        for key, fields in (
            (world.app.key, {"scope": "payments:read admin:read"}),
            (world.app.key, {"scope": "payments"}),
            (world.app.key, {"scope": " "}),
            (world.app.key, {"scope": "payments:read\0"}),
            (world.app.key, {"subject": "c", "scope": "payments:write"}),
            (narrow, {"scope": "subscriptions:read"}),
            (only_writes, {"subject": "c"}),
            (world.seed.admin_key, {"scope": "subscriptions:write"}),
        ):
            assert refusal(ask(world, request_of(key, **fields))) == (400, "invalid_scope")
        of_operator = ask(world, request_of(world.seed.admin_key, subject="c"))
        assert refusal(of_operator) == (400, "unauthorized_client")


class TestOpens:
    def test_a_client_reads_its_own_and_writes_nothing(self, world: World) -> None:
        payments = []
        for number, app in enumerate((world.app, world.app, world.other_app)):
            body = {"client_id": f"client-{number % 2}", "plan": "monthly"}
            headers = {"idempotency-key": f"k-{number}"}
            payments.append(world.call("payments/create", body=body, headers=headers, key=app.key))
        own, others, foreign = (payment.json["id"] for payment in payments)
        client = token(world, subject="client-0")
        assert read(world, "payments/get", own, client).json["client_id"] == "client-0"
        for target in (others, foreign, "pay_1"):
            assert read(world, "payments/get", target, client).status == 404
        assert read(world, "subscriptions/check", "client-0", client).status == 200
        of_other = read(world, "subscriptions/check", "client-1", client)
        assert (of_other.status, of_other.json["code"]) == (404, "not_found")
        body = {"client_id": "client-0", "plan": "monthly"}
        for function in ("payments/create", "subscriptions/create", "admin/keys"):
            answer = world.call(function, body=body, key=client, headers={"idempotency-key": "k"})
            assert (answer.status, answer.json["code"]) == (403, "forbidden"), function
        assert world.rows("SELECT count(*) FROM payments") == [(3,)]

    def test_an_apps_token_opens_what_its_key_does(self, world: World) -> None:
        body, headers = {"client_id": "c", "plan": "monthly"}, {"idempotency-key": "k"}
        narrow = token(world, scope="payments:write")
        made = world.call("payments/create", body=body, headers=headers, key=narrow)
        assert made.status == 201
        assert read(world, "payments/get", made.json["id"], narrow).status == 403
        assert read(world, "payments/get", made.json["id"], token(world)).status == 200
        no_key = ask(world, request_of(world.app.key, client_secret=narrow))
        assert refusal(no_key) == (401, "invalid_client")

    def test_an_entitlement_is_another_thing(self, world: World) -> None:
        body, headers = {"client_id": "client-1", "plan": "monthly"}, {"idempotency-key": "k"}
        world.call("payments/create", body=body, headers=headers)
        world.psp.status = PaymentStatus.SUCCEEDED
        paid = read(world, "subscriptions/check", "client-1", world.app.key).json
        assert read(world, "subscriptions/check", "client-1", paid["entitlement"]).status == 401
        public = world.call("auth/keys", method="GET").json["keys"][0]
        for text, holds in ((paid["entitlement"], True), (token(world, subject="client-1"), False)):
            with contextlib.nullcontext() if holds else pytest.raises(jwt.PyJWTError):
                jwt.decode(
                    text,
                    jwt.PyJWK(public),
                    algorithms=["EdDSA"],
                    options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
                )


class TestEnds:
    def test_after_ten_minutes(self, world: World) -> None:
        text = token(world)
        world.pass_time(seconds=599)
        assert read(world, "subscriptions/check", "c", text).status == 200
        world.pass_time(seconds=1)
        assert read(world, "subscriptions/check", "c", text).status == 401

    @pytest.mark.parametrize("redis_url", [None, DEAD_REDIS], ids=["redis", "no redis"])
    def test_with_its_key_or_its_app(
        self,
        world: World,
        keys: KeyOperator,
        redis_url: str | None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A minute later at most, in the container that just believed it."""
        key = keys.new()["key"]
        texts = [token(world, x, subject="c") for x in (key, world.other_app.key)]
        context = world.new_context(redis_url=redis_url) if redis_url else world.context
        for text in texts:
            assert read(world, "subscriptions/check", "c", text, context=context).status == 200
        keys.ask("DELETE", f"/{id_of(key)}")
        Operator(world, "apps").ask("DELETE", f"/{world.other_app.id}")
        pass_cached(monkeypatch)
        for text in texts:
            refused = read(world, "subscriptions/check", "c", text, context=context)
            assert (refused.status, refused.json["code"]) == (401, "credentials_refused")
        context.database.close()

    def test_when_the_key_that_signed_it_leaves_the_ring(self, world: World) -> None:
        text = token(world)
        old = world.settings.access_token_keys.current
        for ring, status in (
            ({"b1": b"b" * 32, "a1": old}, 200),
            ({"b1": b"b" * 32}, 401),
            ({"b1": old}, 401),
        ):
            context = replace(world.context, settings=replace(
                world.settings, access_token_keys=Keyring(ring)
            ))  # fmt: skip
            answer = read(world, "subscriptions/check", "c", text, context=context)
            assert answer.status == status

    def test_at_another_deployments_door(self, world: World) -> None:
        text, elsewhere = token(world), "https://elsewhere.example"
        context = replace(world.context, settings=replace(world.settings, public_url=elsewhere))
        assert read(world, "subscriptions/check", "c", text, context=context).status == 401


class TestForged:
    @pytest.fixture
    def container(self, world: World) -> Iterator[Context]:
        """A deployment with the keys that the forgeries are aimed at, and their API key."""
        with psycopg.connect(world.stores.owner_url) as connection:
            connection.execute(
                """INSERT INTO api_keys (id, role, app_id, name, livemode, secret_sha256,
                                         created_at)
                   VALUES ('0123456789abcdef', 'app', %s, 'x', false, sha256('x'), now())""",
                (world.app.id,),
            )
        context = world.new_context(access_token_keys=forgeries.RING, public_url=forgeries.ISSUER)
        with contextlib.closing(context.database), contextlib.closing(context.cache):
            yield context

    def test_all_are_refused_alike_and_leave_no_trace(
        self, world: World, container: Context, capsys: pytest.CaptureFixture[str]
    ) -> None:
        how: dict[str, Any] = {"context": container}
        good = read(world, "subscriptions/check", "client_7", forgeries.GOOD, **how)
        assert good.json["code"] == "forbidden"  # believed, for a scope that opens nothing
        assert json.loads(capsys.readouterr().out)["key_id"] == "0123456789abcdef"
        bodies = set()
        for name, text in forgeries.FORGERIES.items():
            if text.strip() in ("", forgeries.GOOD):
                continue
            admissions.forget()
            answer = read(world, "subscriptions/check", "client_7", text, **how)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == 'Bearer realm="tollgate"'
            assert (answer.status, answer.json["code"]) == (401, "credentials_refused"), name
            bodies.add(answer.body)
            line = capsys.readouterr().out
            assert json.loads(line)["key_id"] is None, name
            parts = {line[start : start + 13] for start in range(len(line) - 12)}
            assert not any(part in text for part in parts), name
        assert len(bodies) == 1
