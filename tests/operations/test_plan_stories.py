"""Random lives of one client among plans: money is never made, and what must hold always holds."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from tests.operations.paying import PLAN, moved, tell
from tests.operations.subscribing import (
    add_plan,
    ahead,
    bills,
    keep_card,
    put,
    renew,
    subscribe,
    subscription,
)
from tests.operations.test_hostile_subscriptions import broken
from tests.operations.test_reviews import ACCEPT
from tests.operators import Operator
from tests.world import World
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.payment import PaymentStatus

PRICES = {"monthly": 150_000, "gold": 300_000, "weekly": 45_001, "tiny": 700}
STEPS = 30


@dataclass
class Story:
    """What one client and its app do; `told` is it in words."""

    world: World
    dice: Random
    told: list[str] = field(default_factory=list)
    payments: int = 0

    def step(self) -> None:
        """Something happens, or is refused as it should be."""
        step = self.dice.choice(_STEPS)
        self.world.pass_time(seconds=11)
        self.told.append(f"{self.world.now} {step.__name__}: {step(self)}")

    def time_passes(self) -> str:
        hours = self.dice.choice((1, 23, 24, 24 * 3, 24 * 8))
        for _ in range(self.dice.choice((1, 2))):
            self.world.pass_time(hours=hours / 2)
            self.timer_fires()
        return f"{hours} hours"

    def timer_fires(self) -> str:
        report = renew(self.world)
        assert report["troubled"] == [], report
        return str(report)

    def pays(self) -> str:
        """All of a plan's price, a part of it, or too much, which an operator accepts."""
        plan = self.dice.choice(list(PRICES))
        price = PRICES[plan]
        said = self.dice.choice((price, price, price, price // 3, price + 1))
        self.payments += 1
        body, kept = PLAN | {"plan": plan}, self.world.psp.alter
        if said != price:
            money = Money(said, "KES")
            self.world.psp.alter = lambda o: (
                replace(o, money=money) if o.status is PaymentStatus.SUCCEEDED else o
            )
        payment_id = moved(self.world, PaymentStatus.SUCCEEDED, body, f"s-{self.payments}")
        self.world.psp.alter = kept
        if said != price:
            accepted = Operator(self.world, "reviews").ask("POST", f"/{payment_id}", ACCEPT)
            assert accepted.status == 200, accepted.body
        return f"{said} of {price} for {plan}"

    def changes(self) -> str:
        plan = self.dice.choice(list(PRICES))
        proration = self.dice.choice(("credit", "credit", "credit", "charge_now", "none"))
        return self._put("change", {"plan": plan, "proration": proration})

    def subscribes(self) -> str:
        answer = subscribe(self.world, plan=self.dice.choice(list(PRICES)))
        assert answer.status in (200, 201), answer.body
        return str(answer.json["next_plan"])

    def cancels(self) -> str:
        return self._put("cancel", {"at": self.dice.choice(("period_end", "never", "never"))})

    def pauses(self) -> str:
        until = {"resumes_at": ahead(self.world, days=self.dice.randint(1, 9))}
        return self._put("pause", self.dice.choice((until, None)))

    def resumes(self) -> str:
        return self._put("resume", None)

    def disputes(self) -> str:
        paid = self.world.rows(
            "SELECT id, status, amount_captured_minor FROM payments"
            " WHERE status IN ('succeeded', 'disputed') ORDER BY id"
        )
        if not paid:
            return "nothing"
        payment_id, status, minor = self.dice.choice(paid)
        word = DisputeStatus.OPEN if status == "succeeded" else DisputeStatus.WON
        if word is DisputeStatus.OPEN and payment_id in self.world.psp.disputes:
            return "once only"
        kept, money = self.world.psp.alter, Money(minor, "KES")
        self.world.psp.dispute(payment_id, money, word)
        self.world.psp.alter = lambda outcome: replace(outcome, money=money)
        answer = tell(self.world, payment_id)
        self.world.psp.alter = kept
        assert answer.status == 200, answer.body
        return f"{payment_id} {word}"

    def _put(self, function: str, body: Any) -> str:
        answer = put(self.world, function, subscription(self.world)["id"], body)
        assert answer.status in (200, 409, 422), answer.body
        return f"{body} {answer.status} {answer.json.get('code')}"

    def expect(self) -> None:
        """What is left, with what was used, is worth no more than what was paid for it."""
        rows = self.world.rows(
            """SELECT p.amount_captured_minor, g.worth_minor, g.worth_seconds,
                      extract(epoch FROM greatest(
                          g.ends_at - greatest(g.starts_at, subscription_clock(s, %s)), '0'))
                      + coalesce((g.reversal ->> 'rest_seconds')::numeric, 0)
               FROM subscription_periods g JOIN payments p ON p.id = g.payment_id
               JOIN subscriptions s ON s.id = g.subscription_id""",
            self.world.now,
        )
        for paid, minor, seconds, left in rows:
            assert Fraction(left) * minor / seconds <= paid
        assert sum(status == "open" for status, _, _ in bills(self.world)) <= 1


_STEPS: tuple[Callable[[Story], str], ...] = (
    *(Story.time_passes,) * 4,
    *(Story.pays,) * 3,
    *(Story.changes,) * 6,
    Story.subscribes,
    Story.cancels,
    Story.pauses,
    *(Story.resumes,) * 2,
    *(Story.disputes,) * 3,
)


@pytest.mark.parametrize("card", ["kept", "none"])
@pytest.mark.parametrize("seed", range(6))
def test_no_money_is_made(world: World, seed: int, card: str) -> None:
    for code, amount in PRICES.items():
        if code != "monthly":
            unit = "week" if code == "weekly" else "month"
            add_plan(world, code, amount, interval={"unit": unit}, grace_days=seed % 3)
    if card == "kept":
        keep_card(world)
    story = Story(world, Random(f"{seed} {card}"))
    subscribe(world)
    try:
        for _ in range(STEPS):
            story.step()
            story.expect()
        assert broken(world) == []
    except AssertionError as error:
        pytest.fail("\n".join([*story.told, str(error)]))
