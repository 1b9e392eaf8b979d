"""What is kept for later payments and events: whose it is, once each, and for life."""

import pytest
from psycopg.errors import CheckViolation, ForeignKeyViolation

from tests.storage.conftest import AT, Owner, Write, inserts
from tests.storage.test_constraints import refused
from tests.world import World


@pytest.fixture
def saved(world: World, owner: Owner, payment: Write) -> Write:
    """Saved methods, beside a payment of each app."""
    payment()
    payment(id="pay_2", app_id=world.other_app.id)
    return inserts(
        owner,
        "saved_methods",
        {
            "id": "met_1",
            "app_id": world.app.id,
            "client_id": "client-1",
            "psp": "stripe",
            "customer_reference": "cus_1",
            "method_reference": "pm_1",
            "payment_id": "pay_1",
            "created_at": AT,
        },
    )


@pytest.fixture
def name(world: World, owner: Owner, payment: Write) -> Write:
    """A PSP's names of payments, beside a payment of each app."""
    payment()
    payment(id="pay_2", app_id=world.other_app.id)
    row = {"psp": "stripe", "reference": "pi_1", "app_id": world.app.id, "payment_id": "pay_1"}
    return inserts(owner, "psp_references", row)


class TestSavedMethods:
    def test_one_for_a_method_of_a_client(self, world: World, saved: Write) -> None:
        saved()
        once = "saved_methods_app_id_client_id_psp_method_reference_key"
        refused(once, saved, id="met_2", customer_reference="cus_2")
        saved(id="met_3", method_reference="pm_2")
        saved(id="met_4", client_id="client-2")
        saved(id="met_5", psp="paypal")
        saved(id="met_6", app_id=world.other_app.id, payment_id="pay_2")

    @pytest.mark.parametrize("row", [{"payment_id": "pay_2"}, {"payment_id": "pay_0"}])
    def test_it_is_of_a_payment_of_its_app(self, saved: Write, row: dict[str, object]) -> None:
        with pytest.raises(ForeignKeyViolation):
            saved(**row)

    @pytest.mark.parametrize(
        "row", [{"id": "1"}, {"id": "pay_1"}, {"client_id": ""}, {"client_id": "c" * 129}]
    )
    def test_values_that_none_has(self, saved: Write, row: dict[str, object]) -> None:
        with pytest.raises(CheckViolation):
            saved(**row)

    def test_a_payment_is_charged_to_one_of_its_own_app(
        self, world: World, saved: Write, payment: Write
    ) -> None:
        saved()
        payment(id="pay_3", idempotency_key="k-3", saved_method_id="met_1")
        refused(
            "payments_saved_method_of_app",
            payment,
            id="pay_4",
            idempotency_key="k-4",
            app_id=world.other_app.id,
            saved_method_id="met_1",
        )


class TestReferences:
    def test_a_name_is_one_payments(self, world: World, name: Write) -> None:
        name()
        refused("psp_references_pkey", name, app_id=world.other_app.id, payment_id="pay_2")
        name(reference="pi_2")
        name(psp="paypal", app_id=world.other_app.id, payment_id="pay_2")

    @pytest.mark.parametrize("row", [{"payment_id": "pay_2"}, {"payment_id": "pay_0"}])
    def test_it_is_of_a_payment_of_its_app(self, name: Write, row: dict[str, object]) -> None:
        with pytest.raises(ForeignKeyViolation):
            name(**row)

    @pytest.mark.parametrize("reference", ["", "x" * 256])
    def test_it_is_a_name(self, name: Write, reference: str) -> None:
        with pytest.raises(CheckViolation):
            name(reference=reference)


@pytest.mark.parametrize(
    "change", ["save_method = true", "saved_method_id = 'met_1'", "page = 'embedded'"]
)
def test_how_a_payment_was_asked_for_is_fixed_for_life(
    owner: Owner, saved: Write, change: str
) -> None:
    saved()
    with pytest.raises(CheckViolation, match="fixed for life"):
        owner.execute(f"UPDATE payments SET {change} WHERE id = 'pay_1'".encode())


@pytest.mark.parametrize("routing", ["{}", '"stripe"', "null", "1"])
def test_the_routing_of_an_app_is_a_list(owner: Owner, routing: str) -> None:
    with pytest.raises(CheckViolation, match="routing_is_a_list"):
        owner.execute("UPDATE apps SET routing = %s::jsonb", [routing])
