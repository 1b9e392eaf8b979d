"""What an app tells of a client when it subscribes: sealed if personal, refused if wrong."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.operations.paying import PLAN, everything, in_another, paid
from tests.operations.subscribing import add_plan, days, put, subscribe
from tests.operations.test_cancellation import is_refused
from tests.world import Answer, World
from tollgate.domain.principal import Tenant
from tollgate.operations.context import Context
from tollgate.operations.customers import open_subscriber

CUSTOMER = {"phone": "+254712345678", "email": "someone@client.example", "name": "Wanjiku N."}
SECRETS = ("712345678", "someone@client", "Wanjiku")


class TestCustomer:
    def test_is_sealed_and_told_to_nobody(
        self, world: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        answers = [subscribe(world, customer=CUSTOMER).body]
        subscription_id = json.loads(answers[0])["id"]
        paid(world, PLAN)
        for function, body in (("pause", None), ("resume", None), ("cancel", None)):
            answers.append(put(world, function, subscription_id, body).body)
        answers.append(put(world, "cancel", subscription_id, {"at": "never"}).body)
        days(world, 26)
        answers.append(world.call("subscriptions/list", method="GET").body)
        answers.append(
            world.call("subscriptions/get", method="GET", path=f"/{subscription_id}").body
        )
        ((sealed,),) = world.rows("SELECT customer FROM subscriptions")
        logged = capsys.readouterr()
        tables = everything(world)
        told = [*answers, logged.out, logged.err, bytes(sealed).decode("latin-1"), str(tables)]
        for secret in SECRETS:
            assert not [text for text in told if secret in text]
        context = world.context.within(Tenant(world.app.id))
        assert open_subscriber(context, subscription_id, world.app.id).phone == CUSTOMER["phone"]

    def test_is_kept_anew_though_nothing_else_changed(self, world: World) -> None:
        made = subscribe(world).json["id"]
        context = world.context.within(Tenant(world.app.id))
        for phone in ("+254712345678", "+254700000001"):
            assert subscribe(world, customer={"phone": phone}).status == 200
            assert open_subscriber(context, made, world.app.id).phone == phone
        subscribe(world)
        assert open_subscriber(context, made, world.app.id).phone == "+254700000001"


def _create(world: World, plan: str, context: Context) -> Answer:
    return world.call("subscriptions/create", body=PLAN | {"plan": plan}, context=context)


class TestCreate:
    def test_at_once_for_two_plans_makes_one_and_one_bill(self, world: World) -> None:
        add_plan(world, "gold")

        def attempt(number: int) -> tuple[int, str]:
            plan = ("monthly", "gold")[number % 2]
            answer = in_another(world, lambda w, context: _create(w, plan, context))
            return answer.status, str(answer.json["id"])

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(attempt, range(12)))
        assert sorted(status for status, _ in answers) == [200] * 11 + [201]
        assert len({subscription_id for _, subscription_id in answers}) == 1
        ((plan,),) = world.rows("SELECT plan FROM subscriptions")
        assert world.rows("SELECT plan FROM bills WHERE status = 'open'") == [(plan,)]

    def test_of_a_plan_without_a_price_in_that_currency_makes_nothing(self, world: World) -> None:
        before = everything(world)
        answer = subscribe(world, currency="EUR")
        assert (answer.status, answer.json["code"]) == (422, "plan_not_priced")
        assert everything(world) == before

    def test_fields_that_do_not_fit(self, world: World) -> None:
        before = everything(world)
        bodies: tuple[dict[str, Any], ...] = (
            {"client_id": "../client-1"},
            {"client_id": "client\x00"},
            {"client_id": "c" * 10_000},
            {"client_id": "ñandú"},
            {"currency": "kes"},
            {"currency": "XXX"},
            {"currency": "KES\x00"},
            {"customer": {"phone": "0712"}},
            {"customer": {"email": "nobody"}},
            {"customer": {"name": "\x00"}},
            {"customer": {"name": "n" * 10_000}},
            {"customer": {"card": "4242424242424242"}},
            {"renewal": {"hour": 24}},
            {"renewal": {"hour": -1}},
            {"renewal": {"hour": "9"}},
            {"renewal": {"time_zone": "Mars/Olympus"}},
            {"renewal": {"time_zone": "../../etc/passwd"}},
            {"renewal": {"time_zone": "Africa/Nairobi'; DROP TABLE bills; --"}},
            {"renewal": {"time_zone": "\u202eAfrica"}},
            {"renewal": {"time_zone": ""}},
            {"renewal": {"language": "fr"}},
            {"renewal": {"method": "cash"}},
            {"renewal": {"at": 9}},
            {"trial_end": "2027-01-01T00:00:00Z"},
        )
        for body in bodies:
            answer = subscribe(world, **body)
            assert is_refused(answer, 422), (body, answer.body)
        assert everything(world) == before
