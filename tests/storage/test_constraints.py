"""What must be there once only is kept by the schema: whoever writes, the second is refused."""

import psycopg
import pytest
from psycopg.errors import CheckViolation, ForeignKeyViolation, UniqueViolation

from tests.storage.conftest import AT, Owner, Write, inserts
from tests.world import World


def refused(name: str, write: Write, **row: object) -> None:
    with pytest.raises(psycopg.IntegrityError) as violation:
        write(**row)
    assert violation.value.diag.constraint_name == name


class TestPayments:
    def test_one_for_a_key_of_an_app(self, world: World, payment: Write) -> None:
        payment()
        refused("one_payment_per_idempotency_key", payment, id="pay_2", client_id="client-2")
        payment(id="pay_2", app_id=world.other_app.id)
        payment(id="pay_3", idempotency_key="K-1")

    def test_one_for_a_reference_of_a_psp(self, world: World, payment: Write) -> None:
        payment(psp_reference="cs_1")
        refused(
            "one_payment_per_psp_reference",
            payment,
            id="pay_2",
            idempotency_key="k-2",
            app_id=world.other_app.id,
            psp_reference="cs_1",
        )
        payment(id="pay_2", idempotency_key="k-2", psp_reference="cs_1", psp="paypal")
        payment(id="pay_3", idempotency_key="k-3")
        payment(id="pay_4", idempotency_key="k-4")  # several without a reference yet

    @pytest.mark.parametrize(
        "row",
        [
            {"id": "1"},
            {"amount_minor": 0},
            {"amount_minor": -1},
            {"amount_minor": 1_000_000_000_000},
            {"amount_refunded_minor": 101},
            {"amount_refunded_minor": -1},
            {"currency": "kes"},
            {"status": "paid"},
            {"status": "succeeded"},
            {"client_id": ""},
            {"client_id": "c" * 129},
            {"page": "elsewhere"},
            {"plan": "monthly"},
            {"product": "pro"},
        ],
    )
    def test_values_that_no_payment_has(self, payment: Write, row: dict[str, object]) -> None:
        with pytest.raises(CheckViolation):
            payment(**row)

    @pytest.mark.parametrize(
        "row",
        [
            {"app_id": "app_0"},
            {"plan": "unknown", "product": "pro"},
            {"subscription_id": "sub_0"},
            {"saved_method_id": "met_0"},
        ],
    )
    def test_what_it_names_exists(self, payment: Write, row: dict[str, object]) -> None:
        with pytest.raises(ForeignKeyViolation):
            payment(**row)


class TestSubscriptions:
    def test_one_live_one_for_a_client_and_product(
        self, world: World, owner: Owner, subscription: Write
    ) -> None:
        subscription()
        refused("subscriptions_live", subscription, id="sub_2")
        subscription(id="sub_2", product="basic")
        subscription(id="sub_3", client_id="client-2")
        subscription(id="sub_4", app_id=world.other_app.id)
        subscription(id="sub_5", ended_at=AT)
        subscription(id="sub_6", ended_at=AT)
        with pytest.raises(UniqueViolation):
            owner.execute("UPDATE subscriptions SET ended_at = NULL WHERE id = 'sub_5'")

    @pytest.mark.parametrize(
        ("paid_through", "grace_until"),
        [(AT, None), (None, AT), (AT, "2026-01-31T08:59:59Z")],
    )
    def test_grace_follows_paid_time(
        self, subscription: Write, paid_through: str | None, grace_until: str | None
    ) -> None:
        row = {"paid_through": paid_through, "grace_until": grace_until}
        refused("grace_follows_paid_time", subscription, **row)

    def test_belongs_to_a_client_and_a_plan(self, subscription: Write) -> None:
        with pytest.raises(ForeignKeyViolation):
            subscription(client_id="client-3")
        with pytest.raises(ForeignKeyViolation):
            subscription(plan="unknown")


class TestPeriods:
    def test_one_for_a_payment(self, period: Write) -> None:
        period()
        refused("subscription_periods_pkey", period, subscription_id="sub_2")
        refused(
            "subscription_periods_pkey",
            period,
            starts_at="2026-03-01T00:00:00Z",
            ends_at="2026-04-01T00:00:00Z",
        )

    def test_no_instant_twice(self, period: Write) -> None:
        period()
        refused("no_instant_is_given_twice", period, payment_id="pay_2")
        refused(
            "no_instant_is_given_twice",
            period,
            payment_id="pay_2",
            starts_at="2026-02-28T00:00:00Z",
            ends_at="2026-03-28T00:00:00Z",
        )
        period(payment_id="pay_2", subscription_id="sub_2")

    @pytest.mark.parametrize("ends_at", ["2026-02-01T00:00:00Z", "2026-01-31T00:00:00Z"])
    def test_has_an_end_after_its_start(self, period: Write, ends_at: str) -> None:
        with pytest.raises(CheckViolation):
            period(ends_at=ends_at)


def test_an_event_of_a_psp_is_received_once(owner: Owner) -> None:
    event = {"psp": "stripe", "event_id": "evt_1", "type": "t", "received_at": AT}
    insert = inserts(owner, "inbox", event)
    insert()
    refused("inbox_pkey", insert, type="other")
    insert(psp="paypal")
    insert(event_id="evt_2")


def test_an_answer_is_kept_once_for_a_key_of_an_app(
    world: World, owner: Owner, payment: Write
) -> None:
    payment()
    insert = inserts(
        owner,
        "idempotency_keys",
        {
            "app_id": world.app.id,
            "key": "k-1",
            "request_sha256": bytes(32),
            "payment_id": "pay_1",
            "locked_until": AT,
            "created_at": AT,
        },
    )
    refused("answer_is_whole", insert, answer_status=201)
    insert()
    refused("idempotency_keys_pkey", insert, request_sha256=bytes(31) + b"1")
    other = world.other_app.id
    refused("idempotency_keys_payment_of_app", insert, app_id=other)
    payment(id="pay_2", app_id=other)
    insert(app_id=other, payment_id="pay_2")


def test_a_change_is_told_once_in_its_place(world: World, owner: Owner) -> None:
    event = {
        "id": "evt_1",
        "app_id": world.app.id,
        "type": "payment.succeeded",
        "aggregate_id": "pay_1",
        "sequence": 1,
        "data": "{}",
        "created_at": AT,
    }
    insert = inserts(owner, "outbox", event)
    insert()
    refused("outbox_aggregate_id_sequence_key", insert, id="evt_2")
    refused("outbox_pkey", insert, sequence=2)
    insert(id="evt_2", sequence=2)


class TestOneApp:
    """What belongs together belongs to one app, whoever writes it."""

    def test_a_payment_and_its_subscription(
        self, world: World, payment: Write, subscription: Write
    ) -> None:
        subscription()
        refused(
            "payments_subscription_of_app",
            payment,
            app_id=world.other_app.id,
            subscription_id="sub_1",
        )
        payment(subscription_id="sub_1")

    @pytest.mark.parametrize("foreign", ["payment_id", "subscription_id"])
    def test_a_period_its_payment_and_its_subscription(
        self,
        world: World,
        period: Write,
        payment: Write,
        subscription: Write,
        foreign: str,
    ) -> None:
        other = world.other_app.id
        payment(id="pay_3", app_id=other)
        subscription(id="sub_3", app_id=other)
        row = {"app_id": other, "payment_id": "pay_3", "subscription_id": "sub_3"}
        of_first_app = {"payment_id": "pay_1", "subscription_id": "sub_1"}
        refused(
            f"periods_{foreign.removesuffix('_id')}_of_app",
            period,
            **{**row, foreign: of_first_app[foreign]},
        )
        period(**row)


def test_a_database_is_of_one_mode(
    world: World,
    owner: Owner,
    payment: Write,
    subscription: Write,
) -> None:
    with pytest.raises(ForeignKeyViolation):
        payment(livemode=True)
    with pytest.raises(ForeignKeyViolation):
        subscription(livemode=True)
    with pytest.raises(UniqueViolation):
        inserts(owner, "database_mode", {"livemode": True})()
