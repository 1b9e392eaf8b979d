"""Which PSP takes a payment: the app's routing says, and what each PSP can do and whether it is
up; a payment that was begun stays where it is."""

from dataclasses import replace
from typing import Any

import pytest

from tests.operations.many_psps import ChoosyPsp, route, tell_of, with_psps
from tests.operations.paying import (
    AMOUNT,
    PLAN,
    Killed,
    create,
    die,
    down,
    everything,
    reconcile,
    status_of,
    up,
)
from tests.operators import Operator, refusal
from tests.world import World
from tollgate.domain.capabilities import CancelBy, Capabilities, RefundBy
from tollgate.domain.errors import (
    CustomerIncomplete,
    FieldError,
    Misconfigured,
    UnsupportedAmount,
)
from tollgate.domain.outcome import UNKNOWN
from tollgate.domain.payment import Method, PaymentStatus
from tollgate.storage import breakers

NAMES = ("stripe", "paypal", "pesapal")
MOBILE = Capabilities(
    currencies=frozenset({"KES", "UGX"}),
    methods=frozenset({Method.MPESA}),
    refund=RefundBy.MANUAL,
    cancel=CancelBy.LOCAL,
)
FOR_ALL = {"psps": list(NAMES)}
WITH_METHOD = AMOUNT | {"method": "mpesa"}

Psps = dict[str, ChoosyPsp]


@pytest.fixture
def psps(world: World) -> Psps:
    """Three, in the app's order for every payment."""
    made = {name: ChoosyPsp() for name in NAMES}
    with_psps(world, made)
    assert route(world, FOR_ALL).status == 200
    return made


def chosen(world: World, key: str = "k-1", **fields: Any) -> str:
    """The PSP that a payment of these fields goes to."""
    answer = create(world, AMOUNT | fields, key)
    assert answer.status == 201, answer.body
    psp: str = answer.json["psp"]
    return psp


def break_down(world: World, *names: str) -> None:
    """These fail often enough to count as down."""
    for name in names:
        for _ in range(breakers.FAILURES):
            breakers.record_failure(world.context.cache, name)


def closed_again(world: World, name: str) -> None:
    """The time for which its breaker is open passes."""
    world.context.cache._ask("DEL", f"breaker:{name}:open")


def started(psps: Psps) -> dict[str, int]:
    """How often each was asked to start something."""
    return {name: len(psp.starts) for name, psp in psps.items() if psp.starts}


class TestOrder:
    def test_without_routing_it_is_the_apps_default(self, world: World, psps: Psps) -> None:
        route(world)
        assert chosen(world) == "stripe"
        Operator(world, "apps").ask("PUT", f"/{world.app.id}", {"default_psp": "paypal"})
        assert chosen(world, "k-2") == "paypal"

    def test_the_first_of_the_route_takes_it(self, world: World, psps: Psps) -> None:
        assert chosen(world) == "stripe"
        assert started(psps) == {"stripe": 1}

    def test_it_goes_by_method_then_by_currency(self, world: World, psps: Psps) -> None:
        route(
            world,
            {"psps": ["stripe"]},
            {"psps": ["paypal"], "currency": "UGX"},
            {"psps": ["pesapal"], "method": "mpesa"},
        )
        assert chosen(world, "k-1") == "stripe"
        assert chosen(world, "k-2", currency="UGX") == "paypal"
        assert chosen(world, "k-3", currency="UGX", method="mpesa") == "pesapal"

    def test_a_plan_is_routed_by_its_price(self, world: World, psps: Psps) -> None:
        route(world, {"psps": ["pesapal"], "currency": "KES"})
        assert create(world, PLAN).json["psp"] == "pesapal"

    def test_the_app_may_name_one(self, world: World, psps: Psps) -> None:
        break_down(world, "paypal")
        assert chosen(world, psp="paypal") == "paypal"

    @pytest.mark.parametrize(
        "fields", [{"currency": "UGX"}, {"method": "mpesa"}, {"page": "embedded"}]
    )
    def test_the_next_one_takes_what_the_first_cannot(
        self, world: World, psps: Psps, fields: dict[str, Any]
    ) -> None:
        can = psps["stripe"].capabilities
        psps["stripe"].capabilities = (
            replace(
                can,
                currencies=can.currencies - {"UGX"},
                methods=can.methods - {Method.MPESA},
                pages=frozenset(),
            )
            if "page" in fields
            else replace(
                can, currencies=can.currencies - {"UGX"}, methods=can.methods - {Method.MPESA}
            )
        )
        assert chosen(world, **fields) == "paypal"

    def test_the_next_one_takes_what_the_first_objects_to(self, world: World, psps: Psps) -> None:
        psps["stripe"].objection = UnsupportedAmount("too little")
        psps["paypal"].objection = Misconfigured("PAYPAL_CLIENT_ID is missing")
        assert chosen(world) == "pesapal"


class TestDown:
    def test_one_that_fails_is_passed_over(self, world: World, psps: Psps) -> None:
        psps["stripe"].on_start = down
        for number in range(breakers.FAILURES):
            assert create(world, key=f"down-{number}").status == 503
        assert chosen(world) == "paypal"
        assert len(psps["stripe"].starts) == breakers.FAILURES

    def test_one_that_does_not_answer_is_passed_over(self, world: World, psps: Psps) -> None:
        psps["stripe"].alter = lambda _: UNKNOWN
        for number in range(breakers.FAILURES):
            assert create(world, key=f"silent-{number}").status == 202
        assert chosen(world) == "paypal"

    def test_after_a_while_it_is_tried_again(self, world: World, psps: Psps) -> None:
        break_down(world, "stripe")
        closed_again(world, "stripe")
        psps["stripe"].on_start = down
        assert create(world, key="k-0").status == 503
        assert chosen(world, "k-1") == "paypal"
        closed_again(world, "stripe")
        psps["stripe"].on_start = up
        assert [chosen(world, f"k-{number}") for number in (2, 3)] == ["stripe"] * 2

    def test_a_refusal_of_the_payment_is_no_failure_of_the_psp(
        self, world: World, psps: Psps
    ) -> None:
        psps["stripe"].alter = lambda said: replace(said, status=PaymentStatus.FAILED)
        for number in range(breakers.FAILURES + 1):
            assert chosen(world, f"k-{number}") == "stripe"

    def test_with_all_down_the_first_is_tried(self, world: World, psps: Psps) -> None:
        break_down(world, *NAMES)
        assert chosen(world) == "stripe"
        # it answered: it is up
        assert not breakers.is_down(world.context.cache, "stripe")

    def test_the_first_that_can_is_tried(self, world: World, psps: Psps) -> None:
        break_down(world, *NAMES)
        psps["stripe"].objection = UnsupportedAmount()
        assert chosen(world) == "paypal"


class TestBegun:
    """A payment that a PSP may have is no other PSP's, whatever becomes of that one."""

    def test_the_same_key_goes_to_the_same_psp(self, world: World, psps: Psps) -> None:
        psps["stripe"].on_start = die
        with pytest.raises(Killed):
            create(world)
        psps["stripe"].on_start = up
        break_down(world, "stripe")
        world.pass_time(seconds=31)
        again = create(world)
        assert (again.status, again.json["psp"]) == (201, "stripe")
        assert started(psps) == {"stripe": 2}

    def test_after_an_answer_that_was_lost_too(self, world: World, psps: Psps) -> None:
        psps["stripe"].alter = lambda _: UNKNOWN
        first = create(world)
        break_down(world, "stripe")
        assert (create(world).body, started(psps)) == (first.body, {"stripe": 1})

    def test_and_after_a_connection_that_was_refused(self, world: World, psps: Psps) -> None:
        psps["stripe"].on_start = down
        assert create(world).status == 503
        psps["stripe"].on_start = up
        break_down(world, "stripe")
        assert create(world).json["psp"] == "stripe"

    def test_reconcile_goes_to_the_same_psp(self, world: World, psps: Psps) -> None:
        psps["stripe"].alter = lambda _: UNKNOWN
        payment_id = create(world).json["id"]
        psps["stripe"].alter = lambda said: said
        break_down(world, "stripe")
        route(world, {"psps": ["paypal"]})
        world.pass_time(seconds=31)
        reconcile(world)
        assert status_of(world, payment_id) == "requires_action"
        assert started(psps) == {"stripe": 2}

    def test_only_its_own_psp_can_speak_of_it(self, world: World, psps: Psps) -> None:
        payment_id = create(world).json["id"]
        for psp in psps.values():
            psp.status = PaymentStatus.SUCCEEDED
        assert tell_of(world, "paypal", payment_id).status == 200
        assert status_of(world, payment_id) == "requires_action"
        assert tell_of(world, "stripe", payment_id).status == 200
        assert status_of(world, payment_id) == "succeeded"


class TestRefused:
    """What no PSP can take leaves no trace, and says what can be taken."""

    @pytest.mark.parametrize(
        ("fields", "code", "says"),
        [
            ({"currency": "EUR"}, "unsupported_currency", "pesapal takes KES, UGX; not EUR."),
            ({"method": "card"}, "unsupported_method", "pesapal takes mpesa; not card."),
            ({"page": "embedded"}, "unsupported_by_psp", "pesapal can't do this: page: embedded."),
            ({"capture": "manual"}, "unsupported_by_psp", "can't do this: capture: manual."),
            ({"save_method": True}, "unsupported_by_psp", "pesapal can't do this: save_method."),
        ],
    )
    def test_what_the_psp_cannot_do(
        self, world: World, psps: Psps, fields: dict[str, Any], code: str, says: str
    ) -> None:
        psps["pesapal"].capabilities = MOBILE
        before = everything(world)
        answer = create(world, AMOUNT | fields | {"psp": "pesapal"})
        assert refusal(answer) == (422, code, [])
        assert says in answer.json["detail"]
        assert (everything(world), started(psps)) == (before, {})

    def test_what_it_must_know_of_the_customer(self, world: World, psps: Psps) -> None:
        needed = (FieldError("customer.phone", "Needed for mpesa."),)
        psps["pesapal"].objection = CustomerIncomplete("pesapal needs a phone.", needed)
        before = everything(world)
        answer = create(world, WITH_METHOD | {"psp": "pesapal"})
        assert refusal(answer) == (422, "customer_incomplete", ["customer.phone"])
        assert (everything(world), started(psps)) == (before, {})

    def test_what_it_cannot_charge(self, world: World, psps: Psps) -> None:
        psps["pesapal"].objection = UnsupportedAmount("pesapal takes whole shillings.")
        before = everything(world)
        answer = create(world, AMOUNT | {"psp": "pesapal"})
        assert refusal(answer) == (422, "unsupported_amount", [])
        assert answer.json["detail"] == "pesapal takes whole shillings."
        assert (everything(world), started(psps)) == (before, {})

    def test_by_all_of_a_route_tells_everybodys_reason(self, world: World, psps: Psps) -> None:
        for psp in psps.values():
            psp.capabilities = MOBILE
        before = everything(world)
        answer = create(world, AMOUNT | {"currency": "EUR"})
        assert refusal(answer) == (422, "unsupported_currency", [])
        for name in NAMES:
            assert f"{name} takes KES, UGX; not EUR." in answer.json["detail"]
        assert (everything(world), started(psps)) == (before, {})

    def test_a_psp_that_is_not_here(self, world: World, psps: Psps) -> None:
        before = everything(world)
        assert refusal(create(world, AMOUNT | {"psp": "jenga"})) == (422, "unsupported_psp", [])
        assert everything(world) == before

    def test_one_that_lacks_a_setting_is_not_here(self, world: World, psps: Psps) -> None:
        psps["paypal"].objection = Misconfigured("PAYPAL_CLIENT_ID is missing")
        before = everything(world)
        answer = create(world, AMOUNT | {"psp": "paypal"})
        assert (answer.status, answer.json["code"]) == (422, "unsupported_psp")
        assert everything(world) == before

    def test_the_key_is_free_for_another_try(self, world: World, psps: Psps) -> None:
        psps["stripe"].capabilities = MOBILE
        assert create(world, AMOUNT | {"psp": "stripe", "method": "card"}).status == 422
        assert chosen(world) == "stripe"


class TestSetup:
    @pytest.fixture
    def operator(self, world: World, psps: Psps) -> Operator:
        psps["pesapal"].capabilities = MOBILE
        return Operator(world, "apps")

    def test_it_is_stored_shown_and_audited(self, world: World, operator: Operator) -> None:
        routes: list[dict[str, Any]] = [
            {"currency": "KES", "method": "mpesa", "psps": ["pesapal"]},
            {"currency": None, "method": None, "psps": ["stripe", "paypal"]},
        ]
        answer = route(world, routes[0], {"psps": ["stripe", "paypal"]})
        assert answer.json["routing"] == routes
        assert operator.ask("GET", f"/{world.app.id}").json["routing"] == routes
        _, by, action, before, after = operator.audited(world.app.id)[-1]
        assert (by, action) == (operator.actor, "app.updated")
        assert [each["psps"] for each in before["routing"]] == [list(NAMES)]
        assert after["routing"] == routes

    def test_a_new_app_may_bring_it(self, operator: Operator) -> None:
        body = {"name": "Kiosk", "default_currency": "KES", "routing": [{"psps": ["pesapal"]}]}
        routing = [{"currency": None, "method": None, "psps": ["pesapal"]}]
        assert operator.made(**body)["routing"] == routing

    def test_another_change_leaves_it_alone(self, world: World, operator: Operator) -> None:
        answer = operator.ask("PUT", f"/{world.app.id}", {"name": "Another"})
        assert [each["psps"] for each in answer.json["routing"]] == [list(NAMES)]

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"psps": ["nobody"]}, "One of: jenga, paypal, pesapal, stripe."),
            ({"psps": ["stripe", "pesapal"], "currency": "EUR"}, "pesapal takes KES, UGX."),
            ({"psps": ["stripe", "pesapal"], "method": "card"}, "pesapal takes mpesa."),
        ],
    )
    def test_what_a_psp_cannot_take_is_not_routed_to_it(
        self, world: World, operator: Operator, fields: dict[str, Any], says: str
    ) -> None:
        before = everything(world)
        answer = route(world, FOR_ALL, fields)
        assert refusal(answer) == (422, "invalid_fields", ["routing.1.psps"])
        assert answer.json["errors"][0]["message"] == says
        new = {"name": "Kiosk", "default_currency": "KES", "routing": [fields]}
        assert refusal(operator.ask("POST", body=new))[2] == ["routing.0.psps"]
        assert everything(world) == before
