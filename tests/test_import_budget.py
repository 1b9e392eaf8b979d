"""Cold start is imports: what each function may import before it can answer, counted, not timed.

A newcomer fails here and is named. Move it to where it is needed, or raise the budget on purpose.
"""

import base64
import json
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.callers import token_of
from tests.world import Stores, World
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.principal import Role

PROJECT = Path(__file__).parent.parent
PATHS = [str(PROJECT / "shared"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
STRIPE_SECRET = "whsec_of_the_suite"

# Modules beyond those of a bare interpreter, as measured; a twentieth more is let pass.
MEASURED = {
    "admin/apps": 251,
    "admin/keys": 243,
    "admin/plans": 246,
    "admin/reviews": 274,
    "auth/keys": 113,
    "auth/token": 239,
    "ops/health": 113,
    "ops/openapi": 113,
    "payments/cancel": 278,
    "payments/capture": 278,
    "payments/create": 284,
    "payments/get": 281,
    "payments/list": 279,
    "payments/pay": 175,
    "payments/reconcile": 150,
    "payments/refund": 280,
    "payments/return": 154,
    "subscriptions/cancel": 267,
    "subscriptions/change": 289,
    "subscriptions/check": 125,
    "subscriptions/create": 267,
    "subscriptions/get": 267,
    "subscriptions/list": 267,
    "subscriptions/pause": 267,
    "subscriptions/renew": 159,
    "subscriptions/resume": 267,
    "webhook/receive": 159,
}
# The top of each module's name, without those of a bare interpreter.
LIGHT = (
    "ast base64 binascii bisect calendar collections contextlib copy copyreg dataclasses datetime "
    "dis enum functools genericpath hashlib hmac html importlib inspect ipaddress itertools json "
    "keyword linecache locale math opcode operator os posixpath random re reprlib secrets select "
    "stat struct textwrap token tokenize tollgate traceback types typing unicodedata urllib "
    "warnings weakref"
)
WITH_PYDANTIC = LIGHT + (  # glob and grp: what Python 3.13 imports besides
    " annotated_types array bz2 contextvars csv decimal email errno fnmatch fractions glob grp lzma"
    " ntpath numbers pathlib platform pwd pydantic pydantic_core quopri selectors shutil socket"
    " string sysconfig tempfile threading typing_extensions typing_inspection uuid zipfile zlib"
    " zoneinfo"
)
WITHOUT_PYDANTIC = {
    "auth/keys",
    "ops/health",
    "ops/openapi",
    "payments/pay",
    "payments/reconcile",
    "payments/return",
    "subscriptions/check",
    "subscriptions/renew",
    "webhook/receive",
}
USES_PYDANTIC = MEASURED.keys() - WITHOUT_PYDANTIC
# redis-py looks whether `cryptography` is there; what is slow to import is below it.
CRYPTOGRAPHY = "cryptography.hazmat"
# What only the answers that need it may take: all of it is slow to import.
HEAVY = {"psycopg", "pydantic", "stripe", "httpx", "requests", "jwt", CRYPTOGRAPHY}

LOAD = """
import sys
sys.path[:0] = {paths!r}
entry = {{"__name__": "entry"}}
with open({entry!r}) as file:
    exec(compile(file.read(), {entry!r}, "exec"), entry)
"""
CALL = """
import json
print(json.dumps({{"answer": entry["main"]({event!r}), "modules": sorted(sys.modules)}}))
"""
LIST_MODULES = """
import sys
print(*sorted(sys.modules))
"""


def run(code: str, **environment: str) -> str:
    """What a fresh interpreter prints at last; it sees only the paths that the code adds."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def load(function: str) -> str:
    return LOAD.format(paths=PATHS, entry=str(PROJECT / "packages" / function / "__main__.py"))


def environment(stores: Stores, **more: str) -> dict[str, str]:
    """A function's settings over these stores, as World has them."""
    keys = {f"{name.upper()}_KEYS": ring(name[0]) for name in ("access_token", "entitlement")}
    return {
        "TOLLGATE_MODE": "test",
        "TOLLGATE_URL": "https://functions.example/api/v1/web/fn-test",
        "DATABASE_URL": stores.service_url,
        "REDIS_URL": stores.redis_url,
        "CACHE_SECRET": "test",
        "PAY_LINK_KEYS": ring("p"),
        "FIELD_KEYS": ring("f"),
        **keys,
        **more,
    }


def ring(letter: str) -> str:
    """A ring with the key that World makes of this letter."""
    return f"{letter}1:{base64.urlsafe_b64encode(letter.encode() * 32).decode()}"


def call(
    function: str, event: dict[str, Any], settings: dict[str, str]
) -> tuple[dict[str, Any], set[str]]:
    """A function's answer in a process of its own, and the modules that it took."""
    return started(function, {"http": event}, settings)


def started(
    function: str, event: dict[str, Any], settings: dict[str, str]
) -> tuple[dict[str, Any], set[str]]:
    """What `main` made of an event as the platform passes it: a timer's has no `http`."""
    told = json.loads(run(load(function) + CALL.format(event=event), **settings))
    return told["answer"], set(told["modules"])


@pytest.fixture(scope="module")
def bare() -> set[str]:
    """The modules of an interpreter that did nothing."""
    return set(run(LIST_MODULES).split())


def test_every_function_has_a_budget() -> None:
    entries = (PROJECT / "packages").glob("*/*/__main__.py")
    assert {f"{entry.parts[-3]}/{entry.parts[-2]}" for entry in entries} == set(MEASURED)


@pytest.mark.parametrize("function", MEASURED)
def test_importing_an_entry_file_stays_within_its_budget(function: str, bare: set[str]) -> None:
    imported = set(run(load(function) + LIST_MODULES).split()) - bare
    tops = {name.partition(".")[0] for name in imported if not name.startswith("_")}
    known = WITH_PYDANTIC if function in USES_PYDANTIC else LIGHT
    newcomers = tops - set(known.split())
    assert not newcomers
    assert len(imported) <= MEASURED[function] * 1.05, sorted(imported)


@pytest.fixture
def paid_world(world: World) -> World:
    """client-1 has paid, by the clock that a process of its own has too."""
    world.now = datetime.now(UTC)
    request = {"client_id": "client-1", "plan": "monthly"}
    world.call("payments/create", body=request, headers={"idempotency-key": "k-1"})
    world.psp.status = PaymentStatus.SUCCEEDED
    answer = world.call("subscriptions/check", method="GET", path="/client-1")
    assert (answer.json["active"], answer.json["source"]) == (True, "psp")
    return world


def check_event(world: World) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {world.app.key}"}
    return {"method": "GET", "path": "/client-1", "headers": headers}


def test_a_check_from_the_cache_takes_no_database_driver(paid_world: World) -> None:
    nowhere = "postgresql://tollgate@127.0.0.1:1/nowhere"
    settings = environment(paid_world.stores, DATABASE_URL=nowhere)
    answer, modules = call("subscriptions/check", check_event(paid_world), settings)
    assert answer["statusCode"] == 200
    body = json.loads(answer["body"])
    assert (body["active"], body["source"]) == (True, "cache")
    assert CRYPTOGRAPHY in modules  # for the signature of the yes
    assert modules.isdisjoint(HEAVY - {CRYPTOGRAPHY})
    assert modules.isdisjoint({"tollgate.psp", "tollgate.psp.stripe", "sentry_sdk", "pika"})


def test_a_check_without_the_cache_takes_the_database_driver_only(paid_world: World) -> None:
    no_redis = "redis://127.0.0.1:1/0"
    settings = environment(paid_world.stores, REDIS_URL=no_redis)
    answer, modules = call("subscriptions/check", check_event(paid_world), settings)
    body = json.loads(answer["body"])
    assert (body["active"], body["source"]) == (True, "database")
    assert {"psycopg", CRYPTOGRAPHY} <= modules
    assert modules.isdisjoint(HEAVY - {"psycopg", CRYPTOGRAPHY})


def test_a_no_is_not_signed_and_takes_no_cryptography(paid_world: World) -> None:
    event = {**check_event(paid_world), "path": "/client-2"}
    answer, modules = call("subscriptions/check", event, environment(paid_world.stores))
    assert json.loads(answer["body"])["active"] is False
    assert not modules & (HEAVY - {"psycopg"})


@pytest.mark.parametrize("role", [Role.APP, Role.CLIENT])
def test_a_token_takes_the_means_to_read_it(paid_world: World, role: Role) -> None:
    """A caller with a token pays for PyJWT, and no other caller does."""
    subject = paid_world.app.id if role is Role.APP else "client-1"
    token = token_of(paid_world, paid_world.app.key, role, subject)
    event = {**check_event(paid_world), "headers": {"authorization": f"Bearer {token}"}}
    answer, modules = call("subscriptions/check", event, environment(paid_world.stores))
    assert json.loads(answer["body"])["source"] == "cache"
    assert "jwt" in modules
    assert modules.isdisjoint(HEAVY - {"jwt", CRYPTOGRAPHY})


def test_who_is_refused_costs_nothing_heavy(paid_world: World) -> None:
    event = {**check_event(paid_world), "headers": {"authorization": "Bearer garbage"}}
    answer, modules = call("subscriptions/check", event, environment(paid_world.stores))
    assert answer["statusCode"] == 401
    assert not modules & HEAVY


@contextmanager
def psp_that_says(session: dict[str, Any]) -> Iterator[str]:
    """A server on loopback which answers every GET with this; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(session).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def paid_session(payment: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": payment["psp_reference"],
        "client_reference_id": payment["id"],
        "status": "complete",
        "payment_status": "paid",
        "amount_total": 150_000,
        "currency": "kes",
        "livemode": False,
        "expires_at": 1_790_086_400,
        "url": None,
        "payment_intent": {
            "id": "pi_1",
            "status": "succeeded",
            "amount_received": 150_000,
            "currency": "kes",
        },
    }


def signed_event(payment_id: str, session_id: str) -> dict[str, Any]:
    subject = {
        "id": session_id,
        "object": "checkout.session",
        "metadata": {"payment_id": payment_id},
    }
    event = {
        "id": "evt_1",
        "type": "checkout.session.completed",
        "livemode": False,
        "data": {"object": subject},
    }
    body = json.dumps(event)
    signature = stripe.WebhookSignature.generate_signature_header(body, STRIPE_SECRET)
    return {
        "method": "POST",
        "path": "/stripe",
        "headers": {"stripe-signature": signature},
        "body": base64.b64encode(body.encode()).decode(),
        "isBase64Encoded": True,
    }


def test_a_webhook_settles_a_payment_without_the_sdk(world: World) -> None:
    request = {"client_id": "client-1", "plan": "monthly"}
    payment = world.call("payments/create", body=request, headers={"idempotency-key": "k-1"}).json
    with psp_that_says(paid_session(payment)) as stripe_url:
        settings = environment(
            world.stores,
            STRIPE_API_URL=stripe_url,
            STRIPE_SECRET_KEY="sk_test_of_the_suite",
            STRIPE_WEBHOOK_SECRET=STRIPE_SECRET,
        )
        event = signed_event(payment["id"], payment["psp_reference"])
        answer, modules = call("webhook/receive", event, settings)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"received": True})
    assert world.rows("SELECT status FROM payments") == [("succeeded",)]
    assert modules.isdisjoint({"stripe", "requests", "pydantic"})


def test_a_timer_with_nothing_to_do_takes_the_database_driver_only(world: World) -> None:
    report, modules = started("payments/reconcile", {}, environment(world.stores))
    assert report["reconcile_payments"]["looked_at"] == 0
    assert not modules & (HEAVY - {"psycopg"})


def test_a_timer_settles_a_payment_without_the_sdk(world: World) -> None:
    world.now = datetime.now(UTC) - timedelta(hours=1)
    request = {"client_id": "client-1", "plan": "monthly"}
    payment = world.call("payments/create", body=request, headers={"idempotency-key": "k-1"}).json
    with psp_that_says(paid_session(payment)) as stripe_url:
        settings = environment(
            world.stores, STRIPE_API_URL=stripe_url, STRIPE_SECRET_KEY="sk_test_of_the_suite"
        )
        report, modules = started("payments/reconcile", {}, settings)
    assert report["reconcile_payments"]["settled"] == 1
    assert world.rows("SELECT status FROM payments") == [("succeeded",)]
    assert modules.isdisjoint({"stripe", "requests", "pydantic", CRYPTOGRAPHY})
