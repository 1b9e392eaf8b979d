"""Taking a payment: one charge for one key, whatever happens on the way."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from local.seed import operators_context
from tests.world import Answer, World
from tollgate.domain.errors import ConstraintViolated, PspUnavailable
from tollgate.domain.idempotency import LOCK_SECONDS
from tollgate.domain.money import Money
from tollgate.domain.order import Order
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.operations import api_keys
from tollgate.operations.context import Call
from tollgate.schemas.api_keys import CreateKey

PLAN_REQUEST = {"client_id": "client-1", "plan": "monthly"}


def create(world: World, key: str = "k-1", body: Any = PLAN_REQUEST, **more: Any) -> Answer:
    return world.call("payments/create", body=body, headers={"idempotency-key": key}, **more)


def test_starts_a_payment_for_a_plan(world: World) -> None:
    answer = create(world)
    assert answer.status == 201
    payment = answer.json
    assert payment["status"] == "requires_action"
    assert (payment["amount"], payment["currency"]) == (150_000, "KES")
    assert (payment["plan"], payment["product"]) == ("monthly", "pro")
    assert payment["next_action"]["type"] == "redirect"
    assert payment["psp_reference"] == f"ref_{payment['id']}"
    assert payment["created_at"] == "2026-01-31T09:00:00Z"


def test_starts_a_payment_of_an_amount(world: World) -> None:
    request = {
        "client_id": "client-1",
        "amount": 999,
        "currency": "USD",
        "metadata": {"order": "7"},
    }
    payment = create(world, body=request).json
    assert (payment["amount"], payment["currency"], payment["plan"]) == (999, "USD", None)
    assert payment["metadata"] == {"order": "7"}


def test_the_payment_is_committed_before_the_psp_is_called(world: World) -> None:
    seen: list[Any] = []
    world.psp.on_start = lambda order: seen.append(
        world.rows("SELECT status FROM payments WHERE id = %s", order.payment_id)
    )
    create(world)
    assert seen == [[("pending",)]]


@pytest.mark.parametrize("when", ["started", "fetched"])
def test_no_transaction_is_open_while_the_psp_is_called(world: World, when: str) -> None:
    seen: list[Any] = []

    def look(_: object) -> None:
        seen.extend(
            world.rows(
                """SELECT state FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()""",
                as_service=True,
            )
        )

    if when == "started":
        world.psp.on_start = look
    payment_id = create(world).json["id"]
    world.psp.on_fetch = look
    world.psp.status = PaymentStatus.SUCCEEDED
    world.call("payments/get", method="GET", path=f"/{payment_id}")
    assert ("idle",) in seen
    assert ("idle in transaction",) not in seen


def test_a_replay_is_the_first_answer_byte_for_byte(world: World) -> None:
    first = create(world)
    world.pass_time(hours=5)
    again = create(world)
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(world.psp.starts) == 1


def test_another_body_under_the_same_key_is_refused(world: World) -> None:
    create(world)
    again = create(world, body={**PLAN_REQUEST, "client_id": "client-2"})
    assert (again.status, again.json["code"]) == (422, "idempotency_key_reused")
    assert len(world.psp.starts) == 1


def test_a_key_says_nothing_to_another_app(world: World) -> None:
    first = create(world)
    other = world.call(
        "payments/create",
        body=PLAN_REQUEST,
        headers={"idempotency-key": "k-1"},
        key=world.other_app.key,
    )
    assert other.status == 201
    assert other.json["id"] != first.json["id"]


def test_two_hundred_creates_with_one_key_make_one_charge(world: World) -> None:
    def attempt(_: int) -> tuple[int, str]:
        context = world.new_context()
        try:
            answer = create(world, context=context)
        finally:
            context.database.close()
            context.cache.close()
        return answer.status, answer.body

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(attempt, range(200)))
    statuses = Counter(status for status, _ in answers)
    assert set(statuses) <= {201, 409}
    assert statuses[201] >= 1
    assert len({body for status, body in answers if status == 201}) == 1
    assert len(world.psp.starts) == 1
    assert world.rows("SELECT count(*) FROM payments") == [(1,)]


def test_a_key_in_flight_is_a_conflict(world: World) -> None:
    seen: list[Answer] = []

    def ask_again(_: Order) -> None:
        context = world.new_context()
        seen.append(create(world, context=context))
        context.database.close()
        context.cache.close()

    world.psp.on_start = ask_again
    create(world)
    assert (seen[0].status, seen[0].json["code"]) == (409, "idempotency_key_in_use")
    assert "retry-after" in seen[0].headers


def die_in_a_create(world: World) -> None:
    """The caller is gone while the PSP works on its request."""

    class Killed(BaseException):
        pass

    def die(_: Order) -> None:
        raise Killed

    world.psp.on_start = die
    with pytest.raises(Killed):
        create(world)
    world.psp.on_start = lambda order: None


def test_the_work_of_a_dead_holder_is_finished_with_the_same_psp_key(world: World) -> None:
    die_in_a_create(world)
    assert create(world).status == 409
    world.pass_time(seconds=LOCK_SECONDS + 1)
    answer = create(world)
    assert answer.status == 201
    assert len({order.idempotency_key for order in world.psp.starts}) == 1
    assert world.rows("SELECT count(*) FROM payments") == [(1,)]


def test_an_unknown_outcome_is_pending_and_202(world: World) -> None:
    world.psp.alter = lambda outcome: UNKNOWN
    answer = create(world)
    assert (answer.status, answer.json["status"]) == (202, "pending")
    assert create(world).body == answer.body


def test_a_refusal_is_a_value(world: World) -> None:
    refusal = Outcome(PaymentStatus.FAILED, failure=Failure("amount_too_small", "Too small."))
    world.psp.alter = lambda outcome: refusal
    answer = create(world)
    assert (answer.status, answer.json["status"]) == (201, "failed")
    assert answer.json["failure"]["code"] == "amount_too_small"


def test_a_psp_that_was_never_reached_may_be_asked_again_at_once(world: World) -> None:
    def refuse(_: Order) -> None:
        raise PspUnavailable

    world.psp.on_start = refuse
    first = create(world)
    assert (first.status, first.json["code"]) == (503, "psp_unavailable")
    world.psp.on_start = lambda order: None
    assert create(world).status == 201
    assert world.rows("SELECT count(*) FROM payments") == [(1,)]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"money": Money(9_999, "KES")}, "amount_mismatch"),
        ({"reference": "pay_of_somebody_else"}, "reference_mismatch"),
        ({"livemode": True}, "livemode_mismatch"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_needs_review(
    world: World, wrong: dict[str, Any], code: str
) -> None:
    world.psp.alter = lambda outcome: replace(outcome, **wrong)
    payment = create(world).json
    assert (payment["status"], payment["failure"]["code"]) == ("needs_review", code)
    assert payment["next_action"] is None


def test_reading_a_payment_asks_the_psp_about_it(world: World) -> None:
    payment_id = create(world).json["id"]
    world.psp.status = PaymentStatus.SUCCEEDED
    answer = world.call("payments/get", method="GET", path=f"/{payment_id}")
    assert answer.json["status"] == "succeeded"
    assert answer.json["subscription_id"]


def test_foreign_and_missing_payments_answer_alike(world: World) -> None:
    payment_id = create(world).json["id"]
    foreign = world.call(
        "payments/get", method="GET", path=f"/{payment_id}", key=world.other_app.key
    )
    missing = world.call("payments/get", method="GET", path="/pay_0")
    assert (foreign.status, missing.status) == (404, 404)
    assert {**foreign.json} == {**missing.json}
    seen_by_admin = world.call(
        "payments/get", method="GET", path=f"/{payment_id}", key=world.seed.admin_key
    )
    assert seen_by_admin.status == 200


@pytest.mark.parametrize(
    ("request_body", "code"),
    [
        ({"client_id": "c", "plan": "yearly"}, "unknown_plan"),
        ({"client_id": "c", "plan": "monthly", "currency": "EUR"}, "plan_not_priced"),
        ({**PLAN_REQUEST, "return_url": "https://evil.example/"}, "return_url_not_allowed"),
        (
            {**PLAN_REQUEST, "return_url": "https://shop.example.evil.example/"},
            "return_url_not_allowed",
        ),
        (
            {**PLAN_REQUEST, "return_url": "https://shop.example@evil.example/"},
            "return_url_not_allowed",
        ),
    ],
)
def test_what_cannot_be_done_leaves_nothing(world: World, request_body: Any, code: str) -> None:
    answer = create(world, body=request_body)
    assert (answer.status, answer.json["code"]) == (422, code)
    assert world.rows("SELECT count(*) FROM payments") == [(0,)]
    assert world.rows("SELECT count(*) FROM idempotency_keys") == [(0,)]


def test_each_change_is_audited_and_told_once(world: World) -> None:
    payment_id = create(world).json["id"]
    actions = world.rows(
        "SELECT action FROM audit_log WHERE object_id = %s ORDER BY id", payment_id
    )
    assert actions == [("payment.created",), ("payment.requires_action",)]
    told = world.rows("SELECT type, sequence FROM outbox WHERE aggregate_id = %s", payment_id)
    assert told == [("payment.requires_action", 1)]


def test_a_payment_that_succeeds_at_once_gives_its_period(world: World) -> None:
    world.psp.alter = lambda outcome: replace(
        outcome, status=PaymentStatus.SUCCEEDED, next_action=None
    )
    answer = create(world)
    assert (answer.status, answer.json["status"]) == (201, "succeeded")
    assert world.rows("SELECT count(*) FROM subscription_periods") == [(1,)]
    assert create(world).body == answer.body


def test_the_answer_that_is_kept_is_the_answer_of_all(world: World) -> None:
    """A slow caller is overtaken by another that took its key over and answered first."""
    others: list[Answer] = []

    def be_overtaken(_: Order) -> None:
        world.psp.on_start = lambda order: None
        world.psp.alter = lambda outcome: UNKNOWN
        world.pass_time(seconds=LOCK_SECONDS + 1)
        context = world.new_context()
        others.append(create(world, context=context))
        context.database.close()
        context.cache.close()
        world.psp.alter = lambda outcome: outcome

    world.psp.on_start = be_overtaken
    slow = create(world)
    assert others[0].status == 202
    assert (slow.status, slow.body) == (202, others[0].body)


def test_a_lock_that_a_wrong_clock_wrote_bars_nobody(world: World) -> None:
    die_in_a_create(world)
    world.rows("UPDATE idempotency_keys SET locked_until = now() + '9 years' RETURNING 1")
    assert create(world).status == 201


def test_a_database_holds_data_of_one_mode(world: World) -> None:
    live = operators_context(world.stores.owner_url, world.now, livemode=True)
    with pytest.raises(ConstraintViolated):
        api_keys.create_key(live, Call.by_operator("test", body=CreateKey(app_id=world.app.id)))
    live.database.close()
    context = world.new_context(livemode=True)
    answer = create(world, context=context)
    assert answer.status == 401
    context.cache.close()
    context.database.close()


@pytest.mark.parametrize("skew_seconds", [-1, 1])
def test_clocks_that_differ_a_little_do_not_break_the_lock(world: World, skew_seconds: int) -> None:
    seen: list[Answer] = []

    def ask_again(_: Order) -> None:
        context = world.new_context()
        world.pass_time(seconds=skew_seconds)
        seen.append(create(world, context=context))
        world.pass_time(seconds=-skew_seconds)
        context.database.close()
        context.cache.close()

    world.psp.on_start = ask_again
    create(world)
    assert [answer.status for answer in seen] == [409]
    assert len(world.psp.starts) == 1
