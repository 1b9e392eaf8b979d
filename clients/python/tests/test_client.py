"""What the methods send, and what they make of the answers."""

import json
from base64 import b64decode
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from clients.python.tests.conftest import (
    BASE_URL,
    CHECK,
    KEY,
    NOW,
    PAYMENT,
    Answers,
    Signer,
    problem,
)
from tollgate_client import Tollgate, UnexpectedAnswer

TOKEN = {"access_token": "e.y.J", "token_type": "Bearer", "expires_in": 300, "scope": "check"}
UNPAID = {**CHECK, "active": False, "reason": "expired"}


def client(answers: Answers, **settings: Any) -> Tollgate:
    return Tollgate(f"{BASE_URL}/", KEY, transport=answers, **settings)


def answered(*documents: Any, status: int = 200) -> Answers:
    return Answers(*(httpx.Response(status, json=document) for document in documents))


class Deployment(httpx.MockTransport):
    """Answers a check and gives its public keys; says how often it was asked."""

    def __init__(self, check: dict[str, Any], *signers: Signer) -> None:
        self.check = check
        self.jwks = {"keys": [signer.jwk for signer in signers]}
        self.paths: list[str] = []
        super().__init__(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path.split("/fn-1/")[1])
        if self.paths[-1] == "auth/keys":
            assert "authorization" not in request.headers
            return httpx.Response(200, json=self.jwks)
        return httpx.Response(200, json=self.check)

    @property
    def checks(self) -> int:
        """How often it was asked whether a client has paid."""
        return sum(path.startswith("subscriptions/check/") for path in self.paths)


def offline(deployment: Deployment, now: list[float] | None = None) -> Tollgate:
    clock = now or [NOW]
    return Tollgate(BASE_URL, KEY, app_id="app_1", transport=deployment, clock=lambda: clock[0])


def test_a_payment_is_asked_for_and_read() -> None:
    answers = answered({**PAYMENT, "new_field": 1}, status=201)
    payment = client(answers).create_payment(
        "client-1", plan="monthly", currency="KES", idempotency_key="order-1", metadata={"b": "1"}
    )
    request = answers.requests[0]
    assert (request.method, str(request.url)) == ("POST", f"{BASE_URL}/payments/create")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["idempotency-key"] == "order-1"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {
        "client_id": "client-1",
        "plan": "monthly",
        "currency": "KES",
        "metadata": {"b": "1"},
    }
    assert (payment.id, payment.amount, payment.redirect_url) == (
        "pay_1",
        150_000,
        "https://pay.example/cs_1",
    )
    assert payment.created_at == datetime(2030, 3, 17, 17, 46, 40, 123456, timezone.utc)


def test_the_same_payment_is_the_same_bytes() -> None:
    answers = answered(PAYMENT)
    for metadata in ({"a": "1", "b": "é"}, {"b": "é", "a": "1"}):
        client(answers).create_payment("client-1", amount=5, currency="KES", metadata=metadata)
    assert answers.requests[0].content == answers.requests[1].content


@pytest.mark.usefixtures("no_wait")
def test_a_made_up_key_is_kept_for_the_retries_and_not_longer() -> None:
    good = httpx.Response(201, json=PAYMENT)
    answers = Answers(httpx.ReadTimeout("slow"), problem(503, "database_unavailable"), good)
    tollgate = client(answers)
    tollgate.create_payment("client-1", plan="monthly")
    tollgate.create_payment("client-1", plan="monthly")
    keys = [request.headers["idempotency-key"] for request in answers.requests]
    assert len(keys[0]) >= 32
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert len({request.content for request in answers.requests}) == 1


def test_a_pending_payment_is_a_normal_answer() -> None:
    answers = answered({**PAYMENT, "status": "pending", "next_action": None}, status=202)
    payment = client(answers).create_payment("client-1", plan="monthly")
    assert (payment.status, payment.redirect_url) == ("pending", None)


@pytest.mark.parametrize("action", [{"type": "form_post", "url": "x"}, {"type": "await_push"}, {}])
def test_only_a_redirect_is_a_redirect(action: dict[str, str]) -> None:
    payment = client(answered({**PAYMENT, "next_action": action})).get_payment("pay_1")
    assert payment.redirect_url is None


@pytest.mark.parametrize("key", ["", "two\nlines", "k" * 256, "clé"])
def test_what_is_no_idempotency_key_is_refused_before_anything_is_sent(key: str) -> None:
    answers = answered(PAYMENT)
    with pytest.raises(ValueError, match="idempotency_key"):
        client(answers).create_payment("client-1", plan="monthly", idempotency_key=key)
    assert answers.requests == []


def test_a_payment_is_read() -> None:
    answers = answered(PAYMENT)
    assert client(answers).get_payment("pay_1").status == "requires_action"
    assert answers.paths == ["payments/get/pay_1"]


def test_what_the_client_pays_with_is_kept() -> None:
    answers = answered(PAYMENT)
    client(answers).create_payment("client-1", plan="monthly", save_method=True)
    assert json.loads(answers.requests[0].content)["save_method"] is True


def test_a_check_is_asked_for_and_read() -> None:
    answers = answered({**CHECK, "entitlement": "e.y.J"})
    check = client(answers).check("a|b@c:+1", "pro")
    assert answers.requests[0].url.raw_path == (
        b"/api/v1/web/fn-1/subscriptions/check/a%7Cb%40c%3A%2B1?product=pro"
    )
    assert (check.active, check.reason, check.trial_end) == (True, "paid", None)
    assert check.paid_through == datetime(2030, 4, 17, 17, 46, 40, tzinfo=timezone.utc)
    assert "e.y.J" not in repr(check)
    client(answers).check("client-1")
    assert answers.requests[1].url.query == b""


@pytest.mark.parametrize("client_id", ["", "..", "../../auth/keys"])
def test_an_id_leads_nowhere_else(client_id: str) -> None:
    answers = answered(CHECK)
    with pytest.raises(ValueError, match="an id"):
        client(answers).check(client_id)
    assert answers.requests == []
    client(answers).check("a/../b?c#d")
    assert answers.requests[0].url.raw_path.endswith(b"/check/a%2F..%2Fb%3Fc%23d")


@pytest.mark.parametrize(
    "wrong",
    [
        {"active": "false"},
        {"active": 1},
        {"active": None},
        {"paid_through": 5},
        {"paid_through": "soon"},
        {"as_of": "2030-04-17T17:46:40"},
        {"as_of": None},
        {"reason": None},
    ],
    ids=str,
)
def test_a_check_that_is_none_is_no_answer(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedAnswer, match=f"Check.{next(iter(wrong))}"):
        client(answered({**CHECK, **wrong})).has_paid("client-1")
    for name in wrong:
        lacking = {known: value for known, value in CHECK.items() if known != name}
        with pytest.raises(UnexpectedAnswer):
            client(answered(lacking)).has_paid("client-1")


def test_a_client_token_is_asked_for_with_the_key_and_nothing_else() -> None:
    answers = answered(TOKEN)
    token = client(answers).client_token("client-1", "check payments")
    request = answers.requests[0]
    assert answers.paths == ["auth/token"]
    scheme, credentials = request.headers["authorization"].split(" ")
    assert (scheme, b64decode(credentials).decode()) == ("Basic", f"0123456789abcdef:{KEY}")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["client_credentials"],
        "subject": ["client-1"],
        "scope": ["check payments"],
    }
    assert (token.access_token, token.expires_in) == ("e.y.J", 300)
    assert "e.y.J" not in repr(token)
    client(answers).client_token("client-1")
    assert "scope" not in parse_qs(answers.requests[1].content.decode())


@pytest.mark.parametrize("active", [True, False])
def test_has_paid_always_asks(active: bool) -> None:
    answers = answered({**CHECK, "active": active})
    tollgate = client(answers)
    assert [tollgate.has_paid("client-1"), tollgate.has_paid("client-1")] == [active, active]
    assert len(answers.requests) == 2


def test_has_paid_believes_an_entitlement_of_this_client(signer: Signer) -> None:
    deployment = Deployment(UNPAID, signer)
    tollgate, token = offline(deployment), signer.token()
    assert tollgate.has_paid("client-1", "pro", entitlement=token)
    assert deployment.checks == 0
    for client_id, product in (("client-2", "pro"), ("client-1", "max")):
        assert not tollgate.has_paid(client_id, product, entitlement=token)
    assert not tollgate.has_paid("client-1", entitlement=signer.token(exp=NOW))
    assert not tollgate.has_paid("client-1", entitlement="")
    assert deployment.checks == 4


def test_is_active_asks_once_while_the_entitlement_lasts(signer: Signer) -> None:
    deployment = Deployment({**CHECK, "entitlement": signer.token()}, signer)
    now: list[float] = [NOW]
    tollgate = offline(deployment, now)
    assert all(tollgate.is_active("client-1", "pro") for _ in range(10))
    assert (deployment.checks, deployment.paths.count("auth/keys")) == (1, 1)
    now[0] = NOW + 890
    deployment.check = UNPAID
    assert not tollgate.is_active("client-1", "pro")
    assert deployment.checks == 2


def test_is_active_keeps_clients_and_products_apart(signer: Signer) -> None:
    deployment = Deployment({**CHECK, "entitlement": signer.token()}, signer)
    tollgate = offline(deployment)
    assert tollgate.is_active("client-1", "pro")
    deployment.check = UNPAID
    assert not tollgate.is_active("client-2", "pro")
    assert not tollgate.is_active("client-1", "max")
    assert tollgate.is_active("client-1", "pro")


def test_is_active_never_remembers_a_no(signer: Signer) -> None:
    deployment = Deployment(UNPAID, signer)
    tollgate = offline(deployment)
    assert not tollgate.is_active("client-1")
    deployment.check = {**CHECK, "entitlement": signer.token()}
    assert tollgate.is_active("client-1")


def test_is_active_does_not_remember_what_it_can_not_verify(
    signer: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = Signer()
    deployment = Deployment({**CHECK, "entitlement": stranger.token()}, signer)
    tollgate = offline(deployment)
    assert tollgate.is_active("client-1")  # Tollgate itself says so
    assert tollgate.is_active("client-1")
    assert deployment.checks == 2
    assert "its signature is wrong" in caplog.text


def test_is_active_goes_by_the_check_when_there_is_no_entitlement(signer: Signer) -> None:
    deployment = Deployment({**CHECK, "entitlement": None}, signer)
    assert offline(deployment).is_active("client-1")


def test_is_active_remembers_so_many_clients_and_no_more(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tollgate_client.client.REMEMBERED_CLIENTS", 2)
    deployment = Deployment(CHECK, signer)
    tollgate = offline(deployment)
    # client-1 is asked for again, so client-2 is the one that goes
    for client_id in ("client-1", "client-2", "client-1", "client-3", "client-1"):
        deployment.check = {**CHECK, "entitlement": signer.token(sub=client_id)}
        assert tollgate.is_active(client_id)
    assert deployment.checks == 3
    deployment.check = UNPAID
    assert not tollgate.is_active("client-2")


def test_what_is_offline_needs_the_app_id() -> None:
    answers = answered(UNPAID)
    with pytest.raises(ValueError, match="app_id"):
        client(answers).is_active("client-1")
    with pytest.raises(ValueError, match="app_id"):
        client(answers).has_paid("client-1", entitlement="e.y.J")
    assert not client(answers).has_paid("client-1")


def test_it_closes_what_it_opened() -> None:
    with client(answered(PAYMENT)) as tollgate:
        tollgate.get_payment("pay_1")
    with pytest.raises(RuntimeError, match="closed"):
        tollgate.get_payment("pay_1")
