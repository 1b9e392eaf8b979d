"""Plans, as an operator sets them up, and what that does to those who pay for one."""

from typing import Any

import psycopg
import pytest

from tests.operators import BAD_COUNTS, MALFORMED, Operator, refusal, rows_of
from tests.world import Answer, World
from tollgate.domain.money import MAX_AMOUNT_MINOR
from tollgate.domain.payment import PaymentStatus

QUARTER: dict[str, Any] = {
    "code": "quarter",
    "product": "pro",
    "interval": {"unit": "month", "count": 3},
    "trial_days": 7,
    "grace_days": 3,
    "refund_rule": "period_end",
    "prices": [{"amount": 400_000, "currency": "KES"}, {"amount": 4_000, "currency": "USD"}],
}
REQUIRED = ("code", "product", "interval", "prices")
BAD_CODES = ("", "A", "-a", "a b", "a" * 65, "a\0", "a\n", 7, None)
PRICE = {"amount": 1, "currency": "KES"}
BAD_PRICES: list[tuple[Any, str]] = [
    ([], "prices"),
    (PRICE, "prices"),
    ([PRICE, PRICE | {"amount": 2}], "prices"),
    ([PRICE] * 51, "prices"),
    ([{"amount": 1}], "prices.0.currency"),
    ([{"currency": "KES"}], "prices.0.amount"),
    ([PRICE | {"more": 1}], "prices.0.more"),
    *(
        ([{"amount": 1, "currency": "USD"}, PRICE | {"amount": amount}], "prices.1.amount")
        for amount in (*BAD_COUNTS, 0, MAX_AMOUNT_MINOR + 1, 1e400)
    ),
    *(([PRICE | {"currency": name}], "prices.0.currency") for name in ("kes", "XXX", "KES\0", 1)),
]
CHANGES: list[tuple[dict[str, Any], str]] = [
    *(({name: days}, name) for name in ("trial_days", "grace_days") for days in (*BAD_COUNTS, 367)),
    *(({"prices": prices}, path) for prices, path in BAD_PRICES),
    *(({"refund_rule": rule}, "refund_rule") for rule in ("", "sometimes", "NEVER", 1)),
    ({"more": 1}, "more"),
    ({"archived_at": None}, "archived_at"),
]


@pytest.fixture
def plans(world: World) -> Operator:
    return Operator(world, "plans", query=f"app_id={world.app.id}")


def body_of(world: World, **fields: Any) -> dict[str, Any]:
    return QUARTER | {"app_id": world.app.id} | fields


def pay(world: World, key: str, **fields: Any) -> Answer:
    """The app starts a payment for the plan."""
    body = {"client_id": "client-1", "plan": "monthly", **fields}
    return world.call("payments/create", body=body, headers={"idempotency-key": key})


def settle(world: World, payment: dict[str, Any]) -> None:
    """The client has paid, and the PSP tells."""
    world.psp.status = PaymentStatus.SUCCEEDED
    event = {
        "event_id": f"evt_{payment['id']}",
        "type": "paid",
        "livemode": False,
        "payment_id": payment["id"],
        "psp_reference": payment["psp_reference"],
    }
    signed = {"signature": "signed"}
    told = world.call("webhook/receive", path="/stripe", body=event, headers=signed)
    assert told.status == 200


class TestCreate:
    def test_tells_all_of_it_and_audits_it_once(self, world: World, plans: Operator) -> None:
        plan = plans.made(**body_of(world))
        assert plan == body_of(world) | {
            "object": "plan",
            "renewal_lead_days": 3,
            "dunning_days": [1, 3, 5, 7],
            "proration": "credit",
            "created_at": "2026-01-31T09:00:00Z",
            "archived_at": None,
        }
        assert plan == plans.ask("GET", "/quarter").json
        ((app_id, by, action, before, after),) = plans.audited("quarter")
        assert (app_id, by, action) == (world.app.id, plans.actor, "plan.created")
        assert (before, after["interval_count"], after["trial_days"]) == (None, 3, 7)
        assert after["prices"] == {"KES": 400_000, "USD": 4_000}
        assert pay(world, "k", plan="quarter", currency="USD").json["amount"] == 4_000

    def test_needs_no_days_and_no_count(self, world: World, plans: Operator) -> None:
        sent = {name: QUARTER[name] for name in REQUIRED} | {"interval": {"unit": "year"}}
        plan = plans.made(app_id=world.app.id, **sent)
        assert (plan["trial_days"], plan["grace_days"]) == (0, 0)
        assert plan["refund_rule"] == "end_now"
        assert plan["interval"] == {"unit": "year", "count": 1}

    def test_of_a_code_that_the_app_has(self, world: World, plans: Operator) -> None:
        plans.made(**body_of(world))
        plans.ask("DELETE", "/quarter")
        untouched = (rows_of(world, "plans"), rows_of(world, "plan_prices"))
        for code in ("monthly", "quarter"):  # an archived one too
            answer = plans.ask("POST", body=body_of(world, code=code))
            assert refusal(answer) == (409, "already_exists", [])
        assert (rows_of(world, "plans"), rows_of(world, "plan_prices")) == untouched
        other = plans.made(**body_of(world, app_id=world.other_app.id))
        assert other["app_id"] == world.other_app.id

    def test_bad_fields_by_their_paths(self, world: World, plans: Operator) -> None:
        gone = world.other_app.id
        Operator(world, "apps").ask("DELETE", f"/{gone}")
        untouched = rows_of(world, "plans")
        bad: list[tuple[dict[str, Any], str]] = [
            *CHANGES,
            *(({name: code}, name) for name in ("code", "product") for code in BAD_CODES),
            *(({"app_id": x}, "app_id") for x in (gone, "app_1", "app_\0", "x", "", 7, None)),
            ({"interval": "month"}, "interval"),
            ({"interval": {}}, "interval.unit"),
            ({"interval": {"unit": "month", "more": 1}}, "interval.more"),
            *(({"interval": {"unit": unit}}, "interval.unit") for unit in ("hour", "Month", 1)),
            *(
                ({"interval": {"unit": "day", "count": count}}, "interval.count")
                for count in (*BAD_COUNTS, 0, 367)
            ),
        ]
        for fields, path in bad:
            answer = plans.ask("POST", body=body_of(world) | fields)
            assert refusal(answer) == (422, "invalid_fields", [path]), fields
        assert refusal(plans.ask("POST", body={}))[2] == ["app_id", *REQUIRED]
        for body in MALFORMED:
            assert refusal(plans.ask("POST", body=body)) == (400, "malformed_body", []), body[:40]
        assert rows_of(world, "plans") == untouched
        assert rows_of(world, "audit_log")[-1] == untouched[-1]


class TestNamed:
    """By its app and its code, whatever is done to it."""

    METHODS: tuple[tuple[str, Any], ...] = (
        ("GET", None),
        ("PUT", {"grace_days": 1}),
        ("DELETE", None),
    )

    def test_a_code_that_the_app_does_not_have(self, world: World, plans: Operator) -> None:
        plans.made(**body_of(world, app_id=world.other_app.id))
        untouched = rows_of(world, "plans")
        for method, body in self.METHODS:
            for code in ("quarter", "A", "a" * 65, "a%00", "%00", "a%0A", "'", "é"):
                answer = plans.ask(method, f"/{code}", body)
                assert refusal(answer) == (404, "not_found", []), (method, code)
            nobodys = plans.ask(method, "/monthly", body, query="app_id=app_0199c1")
            assert nobodys.status == 404
        assert rows_of(world, "plans") == untouched

    def test_without_the_app(self, world: World, plans: Operator) -> None:
        untouched = rows_of(world, "plans")
        for query in ("app_id=", "app_id=x", "app_id=app_%00", "app_id=%00"):
            for method, body in self.METHODS:
                answer = plans.ask(method, "/monthly", body, query=query)
                assert refusal(answer) == (422, "invalid_fields", ["app_id"]), (method, query)
            assert refusal(plans.ask("GET", query=query))[2] == ["app_id"], query
        assert refusal(plans.ask("GET")) == (422, "invalid_fields", ["app_id"])
        assert refusal(Operator(world, "plans").ask("DELETE", "/monthly"))[2] == ["app_id"]
        for method, body in self.METHODS:
            query = f"app_id={world.app.id}&limit=1"
            answer = plans.ask(method, "/monthly", body, query=query)
            assert refusal(answer) == (422, "invalid_fields", ["query"])
        assert rows_of(world, "plans") == untouched


class TestList:
    def test_goes_through_an_apps_in_order(self, world: World, plans: Operator) -> None:
        """Some are added on the way: nothing is lost or told twice."""
        for number in range(24):
            world.pass_time(seconds=1)
            plans.made(**body_of(world, code=f"plan-{number}"))
            if number % 2:
                plans.made(**body_of(world, code=f"plan-{number}", app_id=world.other_app.id))
        plans.ask("DELETE", "/plan-7")
        of_app = f"app_id={world.app.id}&"
        known = sorted(["monthly", *(f"plan-{number}" for number in range(24))])
        found = list(plans.pages(10, of_app))
        assert [len(page) for page in found] == [10, 10, 5]
        assert [plan["code"] for page in found for plan in page] == known
        assert found[0][0] == plans.ask("GET", "/monthly").json
        seen: list[str] = []
        for number, page in enumerate(plans.pages(10, of_app)):
            seen += [plan["code"] for plan in page]
            plans.made(**body_of(world, code=f"{number}-before"))
            plans.made(**body_of(world, code=f"z-{number}"))
        assert seen == [*known, "z-0", "z-1"]
        for query, path in (
            *((f"limit={limit}", "limit") for limit in ("0", "101", "-1", "abc", "")),
            *((f"cursor={cursor}", "cursor") for cursor in ("", "!", "x", "AAAA")),
        ):
            answer = plans.ask("GET", query=of_app + query)
            assert refusal(answer) == (422, "invalid_fields", [path]), query
        assert plans.ask("GET", query="app_id=app_0199c1").json["data"] == []


class TestUpdate:
    def test_changes_what_was_sent_and_nothing_else(self, world: World, plans: Operator) -> None:
        plan = plans.made(**body_of(world))
        untouched = plans.ask("GET", "/monthly").json
        for change in ({"trial_days": 0}, {"grace_days": 366}, {"trial_days": 1, "grace_days": 2}):
            before, plan = plan, plan | change
            assert plans.ask("PUT", "/quarter", change).json == plan
            app_id, by, action, was, is_now = plans.audited("quarter")[-1]
            assert (app_id, by, action) == (world.app.id, plans.actor, "plan.updated")
            assert was["interval_count"] == is_now["interval_count"] == 3
            for name in ("trial_days", "grace_days", "product"):
                assert (was[name], is_now[name]) == (before[name], plan[name])
        assert len(plans.audited("quarter")) == 4
        assert plans.ask("GET", "/quarter").json == plan
        assert plans.ask("GET", "/monthly").json == untouched

    def test_takes_the_place_of_all_prices(self, world: World, plans: Operator) -> None:
        plan = plans.made(**body_of(world))
        others = plans.made(**body_of(world, app_id=world.other_app.id))
        prices = [{"amount": 90_000, "currency": "UGX"}, {"amount": 5_000, "currency": "USD"}]
        answer = plans.ask("PUT", "/quarter", {"prices": prices})
        assert answer.json == plan | {"prices": prices} == plans.ask("GET", "/quarter").json
        _, *repriced = [row for row in plans.audited("quarter") if row[0] == world.app.id]
        before, after = {"KES": 400_000, "USD": 4_000}, {"UGX": 90_000, "USD": 5_000}
        assert repriced == [(world.app.id, plans.actor, "plan.repriced", before, after)]
        of_other = f"app_id={world.other_app.id}"
        assert plans.ask("GET", "/quarter", query=of_other).json == others
        assert pay(world, "k-1", plan="quarter", currency="UGX").json["amount"] == 90_000
        assert pay(world, "k-2", plan="quarter").json["code"] == "plan_not_priced"

    def test_bad_fields_by_their_paths(self, world: World, plans: Operator) -> None:
        untouched = (rows_of(world, "plans"), rows_of(world, "plan_prices"))
        fixed = [({name: QUARTER[name]}, name) for name in ("code", "product", "interval")]
        for fields, path in [*CHANGES, *fixed, ({"app_id": world.other_app.id}, "app_id")]:
            answer = plans.ask("PUT", "/monthly", fields)
            assert refusal(answer) == (422, "invalid_fields", [path]), fields
        for body in MALFORMED:
            assert plans.ask("PUT", "/monthly", body).status == 400, body[:40]
        assert (rows_of(world, "plans"), rows_of(world, "plan_prices")) == untouched

    def test_what_it_sells_is_fixed_for_its_owner_too(self, world: World) -> None:
        for change in (
            "product = 'other'",
            "interval_unit = 'year'",
            "interval_count = 2",
            "code = 'other'",
            "created_at = now()",
        ):
            with pytest.raises(psycopg.errors.CheckViolation):
                world.rows(f"UPDATE plans SET {change} WHERE code = 'monthly' RETURNING code")

    def test_a_payment_keeps_the_price_it_was_started_at(
        self, world: World, plans: Operator
    ) -> None:
        payment = pay(world, "k").json
        plans.ask("PUT", "/monthly", {"prices": [{"amount": 1, "currency": "KES"}]})
        assert pay(world, "k").json == payment
        assert pay(world, "other").json["amount"] == 1
        settle(world, payment)
        read = world.call("payments/get", method="GET", path=f"/{payment['id']}").json
        assert (read["status"], read["amount"]) == ("succeeded", 150_000)


class TestArchive:
    def test_is_told_and_audited_once(self, world: World, plans: Operator) -> None:
        plan = plans.made(**body_of(world))
        world.pass_time(hours=1)
        archived = plan | {"archived_at": "2026-01-31T10:00:00Z"}
        assert plans.ask("DELETE", "/quarter").json == archived
        untouched = rows_of(world, "plans")
        for method, body in TestNamed.METHODS[1:]:
            assert plans.ask(method, "/quarter", body).status == 404
        assert plans.ask("PUT", "/quarter", {"prices": QUARTER["prices"]}).status == 404
        assert rows_of(world, "plans") == untouched
        assert plans.ask("GET", "/quarter").json == archived
        _, (app_id, by, action, before, after) = plans.audited("quarter")
        assert (app_id, by, action) == (world.app.id, plans.actor, "plan.archived")
        assert before["archived_at"] is None and after["archived_at"] is not None
        assert after["trial_days"] == 7

    def test_nobody_can_choose_it_or_start_to_pay_for_it(
        self, world: World, plans: Operator
    ) -> None:
        """What was started before is settled, and gives its period."""
        payment = pay(world, "k").json
        plans.ask("DELETE", "/monthly")
        assert refusal(pay(world, "other")) == (422, "unknown_plan", [])
        choice = {"client_id": "client-1", "plan": "monthly"}
        chosen = world.call("subscriptions/create", body=choice)
        assert refusal(chosen) == (422, "unknown_plan", [])
        assert world.rows("SELECT count(*) FROM payments") == [(1,)]
        assert pay(world, "k").json == payment
        settle(world, payment)
        check = world.call("subscriptions/check", method="GET", path="/client-1").json
        assert (check["active"], check["plan"]) == (True, "monthly")
        assert check["paid_through"] == "2026-02-28T09:00:00Z"
