"""Two apps with things of their own, and how to make one more of each: over the API itself."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from local.seed import PLAN as CHANGED_TO
from local.seed import PRODUCT, SeededApp
from tests.world import Answer, World
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import PaymentStatus


@dataclass(frozen=True)
class Side:
    """One app, its client, and an id of each kind of thing by the name of the parameter."""

    app: SeededApp
    client_id: str
    plan: str
    ids: Mapping[str, str]


class Stage:
    """Our app and their app, alike in everything but names."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._number = itertools.count(1)
        self.ours = self._side(world.app, "our")
        self.theirs = self._side(world.other_app, "their")

    def unique(self, kind: str) -> str:
        """A name that nothing has."""
        return f"{kind}-{next(self._number)}"

    def fresh(self, target: str, side: Side, operation: str = "") -> str:
        """The id of a new thing of this app, as the operation needs it."""
        if target not in FRESH:
            pytest.fail(f"tests/permissions/stage.py: tell in FRESH how to make a {target}")
        self.world.psp.status = PaymentStatus.REQUIRES_ACTION
        return READY_FOR.get(operation, FRESH[target])(self, side)

    def made(self, function: str, body: Any, **how: Any) -> dict[str, Any]:
        """What a call of preparation answered."""
        answer: Answer = self.world.call(function, body=body, **how)
        assert answer.status in (200, 201), answer.body
        return answer.json

    def by_admin(self, function: str, body: Any, **how: Any) -> dict[str, Any]:
        """What an operator's call of preparation answered."""
        return self.made(function, body, key=self.world.seed.admin_key, **how)

    def fill_cache(self) -> None:
        """Has each app check its own client, who has a trial: Redis holds their dates."""
        self.world.psp.status = PaymentStatus.REQUIRES_ACTION
        for side in (self.ours, self.theirs):
            path = f"/{side.client_id}"
            made = self.made("subscriptions/check", None, method="GET", path=path, key=side.app.key)
            assert made["active"]

    def _side(self, app: SeededApp, word: str) -> Side:
        plan = {**_plan(app.id, f"{word}-plan"), "product": f"{word}-product"}
        self.by_admin("admin/plans", plan)
        side = Side(app, f"{word}-client", f"{word}-plan", {})
        ids = {target: self.fresh(target, side) for target in FRESH}
        return Side(app, side.client_id, side.plan, {**ids, "app_id": app.id, "code": side.plan})


def _plan(app_id: str, code: str) -> dict[str, Any]:
    return {
        "app_id": app_id,
        "code": code,
        "product": code,
        "interval": {"unit": "month"},
        "trial_days": 30,
        "prices": [{"amount": 100_000, "currency": "KES"}],
    }


def _payment(stage: Stage, side: Side, **more: str) -> str:
    body = {
        "client_id": side.client_id,
        "plan": side.plan,
        "description": f"Said by {side.client_id}",
        "metadata": {"note": f"Noted by {side.client_id}"},
        **more,
    }
    headers = {"idempotency-key": stage.unique("payment")}
    made = stage.made("payments/create", body, key=side.app.key, headers=headers)
    payment_id: str = made["id"]
    return payment_id


def _moved(
    status: PaymentStatus,
    alter: Callable[[Outcome], Outcome] = lambda outcome: outcome,
    **body: str,
) -> Callable[[Stage, Side], str]:
    """Makes a payment that its PSP says this of, and goes on saying it; and that was read since."""

    def make(stage: Stage, side: Side) -> str:
        payment_id, psp = _payment(stage, side, **body), stage.world.psp
        psp.status, psp.alter = status, alter
        stage.made("payments/get", None, method="GET", path=f"/{payment_id}", key=side.app.key)
        psp.alter = lambda outcome: outcome
        return payment_id

    return make


def _subscription(stage: Stage, side: Side) -> str:
    body = {"client_id": side.client_id, "plan": _code(stage, side)}
    subscription_id: str = stage.made("subscriptions/create", body, key=side.app.key)["id"]
    return subscription_id


def _paused(stage: Stage, side: Side) -> str:
    subscription_id, how = _subscription(stage, side), {"method": "PUT", "key": side.app.key}
    stage.made("subscriptions/pause", {}, path=f"/{subscription_id}", **how)
    return subscription_id


def _changeable(stage: Stage, side: Side) -> str:
    """On another plan of the product of CHANGED_TO."""
    code = stage.unique("plan")
    stage.by_admin("admin/plans", {**_plan(side.app.id, code), "product": PRODUCT})
    body = {"client_id": stage.unique("client"), "plan": code}
    subscription_id: str = stage.made("subscriptions/create", body, key=side.app.key)["id"]
    return subscription_id


def _link(stage: Stage, side: Side) -> str:
    body = {"client_id": stage.unique("client"), "plan": CHANGED_TO}
    url: str = stage.made("subscriptions/create", body, key=side.app.key)["pay_url"]
    return url.rpartition("/")[2]


def _app(stage: Stage, _side: Side) -> str:
    body = {"name": stage.unique("app"), "default_currency": "KES"}
    app_id: str = stage.by_admin("admin/apps", body)["id"]
    return app_id


def _key(stage: Stage, side: Side) -> str:
    body = {"app_id": side.app.id, "name": stage.unique("key")}
    key_id: str = stage.by_admin("admin/keys", body)["id"]
    return key_id


def _code(stage: Stage, side: Side) -> str:
    code = stage.unique("plan")
    stage.by_admin("admin/plans", _plan(side.app.id, code))
    return code


FRESH: Mapping[str, Callable[[Stage, Side], str]] = {
    "payment_id": _payment,
    "subscription_id": _subscription,
    "client_id": lambda _stage, side: side.client_id,  # whose all of it is
    "app_id": _app,
    "key_id": _key,
    "code": _code,
    "psp": lambda _stage, _side: "stripe",
    "link": _link,
}
"""How to make what a path parameter of this name names."""

READY_FOR: Mapping[str, Callable[[Stage, Side], str]] = {
    "capture_payment": _moved(PaymentStatus.AUTHORIZED, capture="manual"),
    "refund_payment": _moved(PaymentStatus.SUCCEEDED),
    "resume_subscription": _paused,
    "change_subscription": _changeable,
    "resolve_review": _moved(
        PaymentStatus.SUCCEEDED, lambda outcome: replace(outcome, livemode=True)
    ),
}
"""How to make it where an operation needs it in a state of its own."""

MISSING: Mapping[str, str] = {
    "payment_id": f"pay_{'0' * 32}",
    "subscription_id": f"sub_{'0' * 32}",
    "client_id": "nobody-known",
    "app_id": f"app_{'0' * 32}",
    "key_id": "0" * 16,
    "code": "not-a-plan",
    "psp": "unreal",
    "link": f"bil_{'0' * 32}~9999999999~p1~{'A' * 22}",
}
"""Well-formed, as long as theirs, and nobody's."""

ANY_CLIENT = "any-client"
"""Whom every app may have."""

MALFORMED = ("nonsense!", "a\0b", "' OR '1'='1", "x" * 500, "\u202e")


@dataclass(frozen=True)
class Body:
    """A valid body; `names` of ids in it that may be somebody else's."""

    of: Callable[[Stage, Mapping[str, str]], dict[str, Any]]
    names: tuple[str, ...] = ()


BODIES: Mapping[str, Body] = {
    "CreatePayment": Body(lambda _, ids: {"client_id": ANY_CLIENT, "plan": ids["code"]}, ("code",)),
    "CapturePayment": Body(lambda _, __: {"amount": 100_000}),
    "CreateRefund": Body(lambda _, __: {"amount": 100_000}),
    "ResolveReview": Body(lambda _, __: {"resolution": "accept", "note": "Looked at."}),
    "CreateSubscription": Body(
        lambda _, ids: {"client_id": ANY_CLIENT, "plan": ids["code"]}, ("code",)
    ),
    "CancelSubscription": Body(lambda _, __: {"at": "now"}),
    "PauseSubscription": Body(lambda _, __: {}),
    "ChangeSubscription": Body(lambda _, __: {"plan": CHANGED_TO}),
    "CreateApp": Body(lambda stage, _: {"name": stage.unique("app"), "default_currency": "KES"}),
    "UpdateApp": Body(lambda stage, _: {"name": stage.unique("app")}),
    "CreateKey": Body(
        lambda stage, ids: {"app_id": ids["app_id"], "name": stage.unique("key")}, ("app_id",)
    ),
    "RotateKey": Body(lambda _, __: {"overlap_seconds": 60}),
    "UpdateKey": Body(lambda _, __: {"calls_per_minute": 50}),
    "CreatePlan": Body(lambda stage, ids: _plan(ids["app_id"], stage.unique("plan")), ("app_id",)),
    "UpdatePlan": Body(lambda _, __: {"grace_days": 3}),
    "RequestToken": Body(lambda _, __: {"grant_type": "client_credentials"}),
}
"""By the name of the request's schema."""

QUERY_OF_IDS = frozenset({"app_id", "client_id"})
QUERY_OF_VALUES = frozenset({"limit", "cursor", "product", "status", "psp", "created_after"})


def body_of(schema: str) -> Body:
    """How to make a body of this schema."""
    if schema not in BODIES:
        pytest.fail(f"tests/permissions/stage.py: tell in BODIES what a valid {schema} is")
    return BODIES[schema]


def query_ids(query: tuple[str, ...]) -> tuple[str, ...]:
    """The query fields that name somebody's things."""
    unknown = set(query) - QUERY_OF_IDS - QUERY_OF_VALUES
    if unknown:
        pytest.fail(f"tests/permissions/stage.py: is {unknown} an id (QUERY_OF_IDS) or a value?")
    return tuple(name for name in query if name in QUERY_OF_IDS)
