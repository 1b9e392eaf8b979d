"""Random histories of one client: everything that can happen, in any order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import jwt
import psycopg

from tests.histories.many_words import ManyWords
from tests.histories.oracle import TERMS, Answer, Fact, replay
from tests.world import World
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.principal import Tenant
from tollgate.operations.context import Context
from tollgate.storage import access_cache, subscriptions
from tollgate.storage.subscriptions import ClientDates

PRICE = Money(150_000, "KES")
PAUSE = timedelta(seconds=22)
"""By any container's clock longer than readers leave between two questions to a PSP."""
SKEW_SECONDS = 5
"""By how much a container's clock may be wrong, either way."""
_PAID = {"succeeded", "partially_refunded", "refunded", "disputed"}
_BACK = {"refunded", "disputed"}


@dataclass
class History:
    """One client's life. `without_redis` is a container that reaches no Redis; `eyes` see what is
    in the database."""

    world: World
    psp: ManyWords
    without_redis: Context
    eyes: psycopg.Connection[tuple[Any, ...]]
    seed: int
    client_id: str = ""
    facts: list[Fact] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    subscription_id: str | None = None
    paused_until: datetime | None = None
    reads: list[ClientDates] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.terms = self.random.choice(TERMS)
        self.client_id = f"h-{self.seed}"

    def run(self, steps: int) -> None:
        """Lives it, and asks after every step."""
        for _ in range(steps):
            step = self.random.choice(_STEPS)
            self.reads.append(self._read())
            self.world.now += PAUSE
            before = self.world.now
            outcome = step(self)
            self.told.append(f"{before.isoformat()} {step.__name__.lstrip('_')}: {outcome}")
            self._learn()
            skew = timedelta(seconds=self.random.choice((0, 0, -SKEW_SECONDS, SKEW_SECONDS)))
            self.world.now += skew
            self._ask()
            self.world.now -= skew
        # the timers of the others need not see to it
        self._put("cancel", at="now")
        for payment_id in self.payments:
            self.psp.words.setdefault(payment_id, PaymentStatus.EXPIRED)

    def _ask(self) -> None:
        """The check says what the oracle says, from wherever it has it."""
        context = self.without_redis if self.random.random() < 0.15 else None
        said = self._call("subscriptions/check", "GET", self.client_id, context=context)
        assert said.status == 200, said.body
        self._learn()  # the check itself may have heard that a payment arrived
        must, answer = replay(self.terms, self.facts, self.world.now), said.json
        self.told.append(
            f"    {self.world.now} check: {answer['active']} {answer['reason']} {answer['source']}"
        )
        reasons = {must.reason} if must.active else {must.reason, "payment_pending"}
        assert (answer["active"], _instant(answer["paid_through"])) == (
            must.active,
            must.paid_through,
        ), f"must be {must}"
        assert answer["reason"] in reasons, f"must be {must}"
        if answer["reason"] == "payment_pending":
            assert self._is_under_way()
        self._expect_entitlement(answer, must)
        if not must.active:
            assert not self._is_paid_and_unheard(), "a charge in flight was not asked for"

    def _expect_entitlement(self, answer: dict[str, Any], must: Answer) -> None:
        assert (answer["entitlement"] is not None) is must.active
        if answer["entitlement"] is None or self.random.random() < 0.8:
            return
        claims = jwt.decode(answer["entitlement"], options={"verify_signature": False})
        assert must.ends_at is not None
        expires_at = datetime.fromtimestamp(claims["exp"], self.world.now.tzinfo)
        assert expires_at <= min(must.ends_at, self.world.now + timedelta(minutes=15))

    def _learn(self) -> None:
        """What has become of payments and pauses, as facts for the oracle."""
        rows = self.eyes.execute(
            "SELECT id, status FROM payments WHERE client_id = %s AND plan IS NOT NULL ORDER BY id",
            (self.client_id,),
        ).fetchall()
        for payment_id, status in rows:
            was = self.known.get(payment_id, "")
            self.known[payment_id] = status
            if was not in _PAID and status in _PAID:
                self._note("paid", payment_id)
            if was not in _BACK and status in _BACK:
                self._note(status, payment_id)
            if was in _BACK and status in _PAID - _BACK:
                self._note("won", payment_id)
        found = self.eyes.execute(
            "SELECT id FROM subscriptions WHERE client_id = %s AND ended_at IS NULL",
            (self.client_id,),
        ).fetchall()
        self.subscription_id = found[0][0] if found else None

    def _note(self, what: str, of: Any = None) -> None:
        self.facts.append(Fact(self.world.now, what, of))

    def _is_under_way(self) -> bool:
        return any(self.known[p] in ("pending", "requires_action") for p in self.known)

    def _is_paid_and_unheard(self) -> bool:
        """Of several that are open, one is asked for at a time."""
        is_open = [p for p, status in self.known.items() if status == "requires_action"]
        return len(is_open) == 1 and self.psp.words.get(is_open[0]) is PaymentStatus.SUCCEEDED

    def _call(self, function: str, method: str, target: str = "", **more: Any) -> Any:
        path = f"/{target}" if target else ""
        return self.world.call(function, method=method, path=path, **more)

    def _put(self, function: str, **body: Any) -> bool:
        if self.subscription_id is None:
            return False
        answer = self._call(f"subscriptions/{function}", "PUT", self.subscription_id, body=body)
        assert answer.status in (200, 409), answer.body
        return bool(answer.status == 200)

    # what can happen

    def _subscribes(self) -> str:
        body = {"client_id": self.client_id, "plan": self.terms.code}
        answer = self._call("subscriptions/create", "POST", body=body)
        assert answer.status in (200, 201), answer.body
        if answer.status == 201:
            self._note("subscribed")
        return str(answer.status)

    def _opens_a_payment(self) -> str:
        if len(self.payments) > 5:
            return "no more"
        key = f"{self.client_id}-{len(self.payments)}"
        answer = self._call(
            "payments/create",
            "POST",
            body={"client_id": self.client_id, "plan": self.terms.code},
            headers={"idempotency-key": key},
        )
        assert answer.status == 201, answer.body
        self.payments.append(answer.json["id"])
        return str(answer.json["id"])

    def _pays(self) -> str:
        unpaid = [p for p in self.payments if p not in self.psp.words]
        if not unpaid:
            return "nothing to pay"
        payment_id = self.random.choice(unpaid)
        self.psp.words[payment_id] = PaymentStatus.SUCCEEDED
        return payment_id

    def _pays_and_is_told(self) -> str:
        payment_id = self._pays()
        return payment_id if payment_id == "nothing to pay" else self._tell(payment_id)

    def _webhook_arrives(self) -> str:
        return self._tell(self.random.choice(self.payments)) if self.payments else "none"

    def _tell(self, payment_id: str) -> str:
        event = {
            "event_id": f"evt_{self.random.randrange(10**9)}",
            "type": "x",
            "livemode": False,
            "payment_id": payment_id,
            "psp_reference": f"ref_{payment_id}",
        }
        for _ in range(self.random.choice((1, 1, 2))):  # the same event may come twice
            answer = self._call(
                "webhook/receive", "POST", "stripe", body=event, headers={"signature": "signed"}
            )
            assert answer.status == 200, answer.body
        return payment_id

    def _timers_run(self) -> str:
        self.world.run_timer("subscriptions/renew")
        return "renew"

    def _reconcile_runs(self) -> str:
        self.world.run_timer("payments/reconcile")
        return "reconcile"

    def _redis_is_emptied(self) -> str:
        self.world.context.cache.run("return redis.call('FLUSHALL')", "x")
        return "flushed"

    def _redis_expires(self) -> str:
        self.world.pass_time(seconds=61)
        return str(self.world.now)

    def _time_passes(self) -> str:
        span = self.random.choice(
            (timedelta(hours=1), timedelta(days=1), timedelta(days=3), timedelta(days=11))
        )
        self.world.now += span * self.random.uniform(0.5, 1.5)
        return str(self.world.now)

    def _much_time_passes(self) -> str:
        self.world.now += timedelta(days=self.random.uniform(20, 200))
        return str(self.world.now)

    def _goes_to_an_end(self) -> str:
        """To the very instant at which something ends, or just before."""
        answer = replay(self.terms, self.facts, self.world.now)
        end = self.random.choice((answer.paid_through, answer.ends_at))
        if end is None or end <= self.world.now:
            return "none ahead"
        self.world.now = end - timedelta(microseconds=self.random.choice((0, 1)))
        return str(self.world.now)

    def _cancels(self) -> str:
        at = self.random.choice(("period_end", "period_end", "now"))
        if not self._put("cancel", at=at):
            return "refused"
        self._note("canceled", at)
        return at

    def _takes_it_back(self) -> str:
        if not self._put("cancel", at="never"):
            return "refused"
        self._note("kept")
        return "done"

    def _pauses(self) -> str:
        until = None
        body: dict[str, Any] = {}
        if self.random.random() < 0.5:
            until = (self.world.now + timedelta(days=self.random.randrange(1, 40))).replace(
                microsecond=0
            )
            body = {"resumes_at": until.isoformat()}
        if not self._put("pause", **body):
            return "refused"
        self._note("paused", until)
        self.paused_until = until
        return str(until)

    def _a_pause_runs_out(self) -> str:
        if self.paused_until is None or self.paused_until <= self.world.now:
            return "none lasts"
        later = timedelta(days=self.random.choice((0, 0, 1, 5)))
        self.world.now = self.paused_until + later
        return str(self.world.now)

    def _resumes(self) -> str:
        if not self._put("resume"):
            return "refused"
        self._note("resumed")
        return "done"

    def _gets_its_money_back(self) -> str:
        paid = [p for p, status in self.known.items() if status == "succeeded"]
        if not paid:
            return "nothing paid"
        payment_id = self.random.choice(paid)
        key = f"back-{payment_id}"
        answer = self._call(
            "payments/refund", "POST", payment_id, headers={"idempotency-key": key}, body=b"{}"
        )
        assert answer.status == 201, answer.body
        return payment_id

    def _disputes(self) -> str:
        paid = [p for p, s in self.known.items() if s in ("succeeded", "disputed")]
        if not paid:
            return "nothing paid"
        payment_id = self.random.choice(paid)
        won = self.known[payment_id] == "disputed"
        status = DisputeStatus.WON if won else DisputeStatus.OPEN
        if payment_id in self.psp.disputes and not won:
            return "once only"
        self.psp.dispute(payment_id, PRICE, status)
        return f"{status} {self._tell(payment_id)}"

    def _read(self) -> ClientDates:
        """What a reader sees who may be slow, and knows nothing of the next step."""
        database = self.world.context.within(Tenant(self.world.app.id)).database
        return subscriptions.read_access(database, self.world.app.id, self.client_id)

    def _a_slow_reader_fills_the_cache(self) -> str:
        known = self.random.choice(self.reads)
        access_cache.put_dates(self.world.context.cache, self.world.app.id, self.client_id, known)
        return f"version {known.version}"


_H = History
_STEPS: tuple[Callable[[History], str], ...] = (
    _H._subscribes,
    _H._opens_a_payment,
    _H._opens_a_payment,
    _H._pays,
    _H._pays,
    _H._pays_and_is_told,
    _H._pays_and_is_told,
    _H._webhook_arrives,
    _H._timers_run,
    _H._reconcile_runs,
    _H._redis_is_emptied,
    _H._redis_expires,
    _H._time_passes,
    _H._time_passes,
    _H._time_passes,
    _H._much_time_passes,
    _H._goes_to_an_end,
    _H._goes_to_an_end,
    _H._cancels,
    _H._takes_it_back,
    _H._pauses,
    _H._pauses,
    _H._a_pause_runs_out,
    _H._resumes,
    _H._gets_its_money_back,
    _H._disputes,
    _H._a_slow_reader_fills_the_cache,
    _H._a_slow_reader_fills_the_cache,
)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
