"""One client's payment, as the world goes on with it: calls, retries, events, refunds."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.chaos.ledger_psp import signature
from tests.chaos.stage import Act, Told
from tests.world import Answer, World
from tollgate.crash_points import CrashPoint as At
from tollgate.operations.context import Context

_SETTLING = (At.SETTLE_FETCHED, At.SETTLE_LOCKED, At.SETTLE_WRITTEN, At.SETTLE_COMMITTED)
PASSES = {
    "create": (
        At.CREATE_CLAIMED,
        At.CREATE_STARTED,
        At.CREATE_RECORDED,
        At.SETTLE_GRANTED,
        *_SETTLING[1:],
    ),
    "refund": (
        At.REFUND_CLAIMED,
        At.REFUND_SENT,
        At.REFUND_SETTLED,
        At.REFUND_ANSWERED,
        *_SETTLING,
    ),
    "webhook": (
        At.WEBHOOK_RECEIVED,
        At.WEBHOOK_SETTLED,
        At.WEBHOOK_PROCESSED,
        At.SETTLE_GRANTED,
        *_SETTLING,
    ),
    "read": (At.SETTLE_GRANTED, *_SETTLING),
    "reconcile": (
        At.RECONCILE_CLAIMED,
        At.RECONCILE_STARTED,
        At.RECONCILE_SETTLED,
        At.RECONCILE_REFUNDED,
        At.REFUND_SENT,
        At.REFUND_SETTLED,
        At.SETTLE_GRANTED,
        *_SETTLING,
    ),
}
"""The points that a call may pass."""

FATES = ("now", "now", "now", "page", "page", "no")
FAULTS = ("", "", "", "", "lost1", "lost1", "lost2", "down1", "blind1", "lost1 blind2")
AMOUNT = 150_000
ALL = 0
AMOUNTS_BACK = ((ALL,), (AMOUNT // 3,), (AMOUNT // 3, AMOUNT // 3), (1, ALL), (ALL, ALL))


@dataclass
class Wish:
    """What a client asks for under one Idempotency-Key, and what it heard."""

    key: str
    body: dict[str, Any]
    heard: Told | None = None
    """The first answer that is for ever."""

    def hear(self, answer: Told | None) -> None:
        """Notes an answer. An AssertionError when it is not what was said before, or a crash."""
        if answer is None:
            return  # killed: the client heard nothing
        assert answer["status"] != 500, f"{self.key} crashed: {answer}"
        if self.heard is not None:
            assert answer == self.heard, f"{self.key} was told {self.heard}, and now {answer}"
        elif answer["status"] in (201, 202):
            self.heard = answer


@dataclass
class Story:
    """A payment with its refunds. `name` is what the PSP knows it by."""

    name: str
    fate: str
    pay: Wish
    refunds: list[Wish]
    is_patient: bool
    """Whether the client tries again until it is told something."""
    psp_gives_up: bool
    """Whether the PSP stops telling of events that we did not acknowledge."""
    acknowledged: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)

    @classmethod
    def drawn(cls, dice: Random, name: str, plan: str) -> "Story":
        """A story by these dice. Some pay for a plan, some a price; some share a client."""
        fate, faults = dice.choice(FATES), dice.choice(FAULTS)
        client_id = f"{name}-client" if dice.random() < 0.7 else f"{name[:-1]}-shared"
        body = {
            "client_id": client_id,
            "description": f"{name} {fate} {faults}".strip(),
            **({"plan": plan} if dice.random() < 0.7 else {"amount": AMOUNT, "currency": "KES"}),
        }
        refunds = [
            Wish(f"{name}-refund-{number}", _refund(dice, f"{name}r{number}", amount))
            for number, amount in enumerate(dice.choice(AMOUNTS_BACK))
        ]
        wish = Wish(f"{name}-pay", body)
        return cls(name, fate, wish, refunds, dice.random() < 0.7, dice.random() < 0.3)

    @property
    def payment_id(self) -> str | None:
        """Known once the client was told."""
        return json.loads(self.pay.heard["body"])["id"] if self.pay.heard else None

    def create(self, world: World) -> Act:
        """The client's call; the same bytes each time."""
        return lambda context: _told(
            world.call(
                "payments/create",
                body=self.pay.body,
                headers={"idempotency-key": self.pay.key},
                context=context,
            )
        )

    def refund(self, world: World, wish: Wish) -> Act:
        """The app's call; the same bytes each time."""
        return lambda context: _told(
            world.call(
                "payments/refund",
                path=f"/{self.payment_id}",
                body=wish.body,
                headers={"idempotency-key": wish.key},
                context=context,
            )
        )

    def read(self, world: World) -> Act:
        """The app looks at the payment."""
        return lambda context: _told(
            world.call("payments/get", method="GET", path=f"/{self.payment_id}", context=context)
        )


def webhook(world: World, event: dict[str, Any]) -> Act:
    """The PSP tells of something."""
    body = json.dumps(event).encode()
    headers = {"signature": signature(body)}
    return lambda context: _told(
        world.call("webhook/receive", path="/stripe", body=body, headers=headers, context=context)
    )


def reconcile(world: World) -> Act:
    """The timer fires."""

    def fire(context: Context) -> Told:
        report: Told = world.run_timer("payments/reconcile", context)["reconcile_payments"]
        assert "error" not in report, report
        return report

    return fire


def _refund(dice: Random, name: str, amount: int) -> dict[str, Any]:
    """The body of a refund; of all that is left where no amount is named."""
    reason = f"{name} {dice.choice([*FAULTS, 'no'])}".strip()
    return {"reason": reason} if amount == ALL else {"reason": reason, "amount": amount}


def _told(answer: Answer) -> Told:
    return {"status": answer.status, "body": answer.body}
