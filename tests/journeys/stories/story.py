"""A story with a calendar: time is gone through, people act, checks are asked, all is written down.

Timers are every minute's in project.yml; here they fire at each halt of the way, a day apart
unless a story says otherwise: 24 months have a million minutes. Halts are at the hour at which the
story stands, so that what turns at that hour is told at its very instant, and all else at the next
halt, as by a scheduler that is late. What the check answers waits for neither.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime, timedelta
from typing import Any

from local.seed import operators_context
from tests.journeys.stories.client import Client
from tests.journeys.stories.scene import Ports, Scene, scene_of
from tests.journeys.stories.timeline import Timeline, at, money
from tests.world import Stores
from tollgate.operations.invariants import check_invariants

STEP = timedelta(days=1)
QUIET = timedelta(days=30)
"""A step through a time in which nothing is to turn."""


class Story:
    """One story; its clients are made by `client`."""

    def __init__(self, scene: Scene, step: timedelta) -> None:
        self.scene = scene
        self.timeline = Timeline(scene)
        self._step = step
        self._clients: list[Client] = []

    @property
    def now(self) -> datetime:
        """The instant it is."""
        return self.scene.clock.now()

    def client(self, name: str) -> Client:
        """Somebody whose access is looked at from now on."""
        client = Client(self, name)
        self._clients.append(client)
        return client

    def plan(self, code: str, amount: int, **rules: Any) -> None:
        """A plan of the product, monthly unless the rules say otherwise."""
        body = {
            "app_id": self.scene.world.app.id,
            "code": code,
            "product": "pro",
            "interval": {"unit": "month"},
            "prices": [{"amount": amount, "currency": "KES"}],
            **rules,
        }
        made = self.by_operator("admin/plans", body=body)
        assert made["code"] == code
        self.timeline.add("operator", "sells a plan", f"{code} for {money(amount, 'KES')}")

    def by_operator(self, function: str, **request: Any) -> dict[str, Any]:
        """What an operator's call answers."""
        answer = self.scene.call(function, key=self.scene.world.seed.admin_key, **request)
        assert answer.status < 400, answer.body
        return answer.json

    def until(self, when: str, step: timedelta | None = None) -> None:
        """Goes there, with a halt at each step."""
        end, step = at(when), step or self._step
        assert end >= self.now, f"{when} is past"
        while self.now < end:
            self.scene.move(min(step, end - self.now).total_seconds())
            self.look()

    def look(self, *clients: Client) -> None:
        """All that is due now happens, and is written down; checks are asked, by all clients
        unless some are named."""
        self.scene.move(0)
        self.timeline.read_news()
        for client in clients or self._clients:
            client.look()

    def switches(self, psp: str, **switches: Any) -> None:
        """What this PSP, or a bank behind it, does from now on; nothing ends that."""
        self.scene.drivers[psp].faults(**switches)
        said = ", ".join(f"{name}: {value}" for name, value in switches.items())
        self.timeline.add(psp, "changes", said or "back to normal")

    def accepts(self, payment_id: str, note: str) -> None:
        """An operator's decision about a payment that needs review."""
        self.timeline.add("operator", "accepts what came", note)
        body = {"resolution": "accept", "note": note}
        self.by_operator("admin/reviews", path=f"/{payment_id}", body=body)
        self.look()

    def bank_decides(self, verb: str) -> None:
        """The newest dispute: win or lose."""
        self.timeline.add("bank", "decides", f"the app is to {verb}")
        self.scene.decide_dispute(verb)
        self.look()

    def taken(self) -> dict[str, int]:
        """What the PSPs hold of clients' money by their own ledgers, in minor units."""
        sums: dict[str, int] = {}
        for driver in self.scene.drivers.values():
            for line in driver.lines():
                kept = line["captured"] - line["refunded"]
                sums[line["currency"]] = sums.get(line["currency"], 0) + kept
        return {currency: held for currency, held in sums.items() if held}

    def judge(self) -> None:
        """No rule is broken, and our books say of each payment what its PSP says: once."""
        operator = operators_context(self.scene.world.stores.owner_url, self.now)
        try:
            broken = [str(found) for found in check_invariants(operator) if not found.holds]
        finally:
            operator.database.close()
        assert not broken, broken
        payments = self.scene.rows(
            """SELECT id, psp, status, amount_captured_minor, amount_refunded_minor
               FROM payments ORDER BY id"""
        )
        ledgers = {psp: driver.lines() for psp, driver in self.scene.drivers.items()}
        for payment_id, psp, status, captured, refunded in payments:
            ours = payment_id.removeprefix("pay_")
            lines = [line for line in ledgers[psp] if ours in (line["reference"] or "")]
            paid = [line for line in lines if line["captured"]]
            assert len(paid) <= 1, f"{payment_id} was charged more than once: {paid}"
            theirs = sum(line["captured"] for line in paid), sum(line["refunded"] for line in paid)
            assert (captured, refunded) == theirs, f"{payment_id} is {status}: {lines}"


@contextmanager
def story_of(
    stores: Stores, ports: Ports, starts: str, seed: int = 1, step: timedelta = STEP
) -> Iterator[Story]:
    """A story that begins at this instant; at its end it is judged, and its timeline printed.

    What the functions log is printed only of a story that fails.
    """
    log = io.StringIO()
    with scene_of(stores, ports, at(starts), seed) as scene:
        story = Story(scene, step)
        try:
            with redirect_stdout(log):
                yield story
                story.judge()
        except BaseException:
            print(log.getvalue())
            raise
        finally:
            print(f"\n{story.timeline}")
