"""A client of the app, and what it can do: most of it the app does for it, over the functions."""

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tests.contract.driver import Driver
from tests.journeys.stories.timeline import at, instant

if TYPE_CHECKING:
    from tests.journeys.stories.story import Story

CUSTOMER = {"email": "client@example.com", "phone": "+254700000001"}
_YES = frozenset({"paid", "trial", "grace", "canceled_but_paid"})
_ENDS: dict[str, tuple[str, ...]] = {
    "paid": ("paid_through",),
    "trial": ("trial_end",),
    "grace": ("grace_until",),
    "canceled_but_paid": ("cancel_at", "paid_through"),
}


class Client:
    """Somebody who pays, or does not; the app speaks for it."""

    def __init__(self, story: "Story", name: str) -> None:
        self.name = name
        self._story = story
        self._scene = story.scene
        self._said = ""

    # what it sees

    def check(self) -> dict[str, Any]:
        """Has it paid?"""
        answer = self._scene.call("subscriptions/check", method="GET", path=f"/{self.name}")
        assert answer.status == 200, answer.body
        return answer.json

    def is_(self, reason: str, paid_through: str | None, **more: Any) -> None:
        """Asserts what the check says: why, until when, and more of its fields."""
        said = self.check()
        shown = {name: said[name] for name in more}
        paid_until = instant(said["paid_through"]) if said["paid_through"] else None
        assert (said["reason"], paid_until, shown) == (reason, paid_through, more), (
            self._story_so_far
        )
        assert said["active"] is (reason in _YES), said

    def look(self) -> None:
        """Writes down what the check says, where that is new."""
        said = self.check()
        ends = next((said[name] for name in _ENDS.get(said["reason"], ()) if said[name]), None)
        says = f"{'yes' if said['active'] else 'no'}: {said['reason']}"
        details = f"{says}, until {instant(ends)}" if ends else says
        if details != self._said:
            self._said = details
            self._story.timeline.add(self.name, "check", details)

    @property
    def subscription(self) -> dict[str, Any]:
        """Its newest subscription."""
        query = f"client_id={self.name}"
        listed = self._scene.call("subscriptions/list", method="GET", query=query)
        newest: dict[str, Any] = listed.json["data"][0]
        return newest

    @property
    def has_prompt(self) -> bool:
        """Whether its phone asks it to pay."""
        found = self._scene.rows(
            """SELECT FROM payments WHERE client_id = %s AND psp = 'jenga'
               AND status = 'requires_action'""",
            self.name,
        )
        return bool(found)

    @property
    def told(self) -> list[str]:
        """Its lines of the timeline."""
        return self._story.timeline.of(self.name)

    @property
    def periods(self) -> list[tuple[str, str]]:
        """From when to when it has paid for, in order."""
        rows = self._scene.rows(
            """SELECT starts_at, ends_at FROM subscription_periods JOIN payments
               ON payments.id = payment_id WHERE client_id = %s ORDER BY starts_at, ends_at""",
            self.name,
        )
        return [(instant(starts_at), instant(ends_at)) for starts_at, ends_at in rows]

    # what it does

    def subscribes(self, plan: str, **more: Any) -> None:
        """To a plan: its trial begins, or it is asked to pay."""
        self._does("subscribes", plan)
        body = {"client_id": self.name, "plan": plan, "customer": CUSTOMER, **more}
        made = self._scene.call("subscriptions/create", body=body)
        assert made.status in (200, 201), made.body
        self._story.look(self)

    def pays(self, plan: str, method: str = "card", **more: Any) -> str:
        """For a period, in the app: opens a payment and pays it; its id."""
        payment_id = self.opens(plan, method, **more)
        self.goes_through_with(payment_id)
        return payment_id

    def opens(self, plan: str, method: str = "card", **more: Any) -> str:
        """A payment in the app, not paid yet; its id."""
        self._does("opens a payment", f"{plan} by {method}")
        (number,) = self._scene.rows("SELECT count(*) FROM payments")[0]
        body = {
            "client_id": self.name,
            "plan": plan,
            "currency": "KES",
            "method": method,
            "customer": CUSTOMER,
            **more,
        }
        key = {"idempotency-key": f"{self.name}-{number}"}
        made = self._scene.call("payments/create", body=body, headers=key)
        assert made.status == 201, made.body
        self._driver(made.json["psp"]).follow(made.json["next_action"])
        self._story.look(self)
        return str(made.json["id"])

    def opens_link(self, method: str = "card", **fields: str) -> str:
        """Opens a payment on the page behind the link it was given; the payment's id."""
        self._does("opens its pay link", method)
        link = self.check()["pay_url"] or self.subscription["pay_url"]
        path = f"/{link.rpartition('/')[2]}"
        page = self._scene.call("payments/pay", method="GET", path=path, key="none").body
        hidden = dict(re.findall(r'type="hidden" name="(amount|after)" value="([^"]*)"', page))
        assert hidden, page
        form = {"method": method, **hidden, **CUSTOMER, **fields}
        answer = self._scene.call(
            "payments/pay",
            path=path,
            body=urlencode(form).encode(),
            headers={"content-type": "application/x-www-form-urlencoded"},
            key="none",
        )
        assert answer.status == 303, answer.body
        payment_id, psp = self._newest()
        if psp == "stripe":
            self._driver(psp).follow({"type": "redirect", "url": answer.headers["location"]})
        self._story.look(self)
        return payment_id

    def pays_link(self, method: str = "card", **fields: str) -> str:
        """Pays on that page; the payment's id."""
        payment_id = self.opens_link(method, **fields)
        self.goes_through_with(payment_id)
        return payment_id

    def accepts_prompt(self) -> str:
        """Pays what its phone asks for; the payment's id."""
        payment_id = self._newest()[0]
        self.goes_through_with(payment_id)
        return payment_id

    def declines_prompt(self) -> None:
        """Refuses what its phone asks for."""
        self.goes_through_with(self._newest()[0], "decline")

    def goes_through_with(self, payment_id: str, verb: str = "pay", **details: Any) -> None:
        """Pays a payment that is open; or declines it, or whatever else can happen at its PSP."""
        psp, reference = self._at_psp(payment_id)
        self._does({"pay": "pays", "dispute": "disputes"}.get(verb, verb), f"by {psp}")
        self._driver(psp).do(reference, verb, **details)
        self._story.look(self)

    def changes_to(self, plan: str, proration: str) -> None:
        """Another plan."""
        assert self.asks("change", plan=plan, proration=proration) is None

    def pauses(self, until: str | None = None) -> None:
        """Until then, or until it wants to go on."""
        body = {"resumes_at": at(until).isoformat()} if until else {}
        assert self.asks("pause", **body) is None

    def resumes(self) -> None:
        """Goes on."""
        assert self.asks("resume") is None

    def asks(self, function: str, **body: Any) -> str | None:
        """A change of its subscription: cancel, pause, resume or change; why it was refused."""
        self._does(f"asks to {function}", ", ".join(str(value) for value in body.values()))
        path = f"/{self.subscription['id']}"
        answer = self._scene.call(
            f"subscriptions/{function}", method="PUT", path=path, body=body or None
        )
        assert answer.status in (200, 409, 422), answer.body
        refusal = answer.json["code"] if answer.status != 200 else None
        if refusal:
            self._story.timeline.add(self.name, "is refused", refusal)
        self._story.look(self)
        return refusal

    def is_refunded(self, payment_id: str, amount: int | None = None) -> None:
        """By the app: all that is left, or this much."""
        self._story.timeline.add(self.name, "> has money back", str(amount or "all"))
        (number,) = self._scene.rows("SELECT count(*) FROM refunds")[0]
        asked = self._scene.call(
            "payments/refund",
            path=f"/{payment_id}",
            body={"amount": amount} if amount else b"{}",
            headers={"idempotency-key": f"refund-{number}"},
        )
        assert asked.status == 201, asked.body
        self._story.look(self)

    def _does(self, what: str, details: str) -> None:
        self._story.timeline.add(self.name, f"> {what}", details)

    def _newest(self) -> tuple[str, str]:
        (found,) = self._scene.rows(
            """SELECT id, psp FROM payments WHERE client_id = %s
               ORDER BY created_at DESC, id DESC LIMIT 1""",
            self.name,
        )
        return found[0], found[1]

    def _at_psp(self, payment_id: str) -> tuple[str, str]:
        sql = "SELECT psp, psp_reference FROM payments WHERE id = %s"
        ((psp, reference),) = self._scene.rows(sql, payment_id)
        return psp, reference

    def _driver(self, psp: str) -> Driver:
        return self._scene.drivers[psp]

    @property
    def _story_so_far(self) -> str:
        return f"{self.name}\n{self._story.timeline}\n{self.check()}"
