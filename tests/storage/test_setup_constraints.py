"""What operators set up keeps its rules too, whoever writes it: apps, keys, plans and prices."""

import pytest
from psycopg.errors import CheckViolation

from tests.storage.conftest import AT, Owner, Write, inserts
from tests.storage.test_constraints import refused
from tests.world import World


@pytest.mark.parametrize("calls_per_minute", [0, -1, 1_000_001])
def test_an_app_may_call_a_number_of_times(owner: Owner, calls_per_minute: int) -> None:
    with pytest.raises(CheckViolation):
        owner.execute("UPDATE apps SET calls_per_minute = %s", [calls_per_minute])


@pytest.mark.parametrize(
    "row",
    [
        {"role": "app", "app_id": None},
        {"role": "admin"},
        {"role": "root", "app_id": None},
        {"secret_sha256": bytes(31)},
        {"id": "short"},
    ],
)
def test_keys_that_would_be_nobodys(world: World, owner: Owner, row: dict[str, object]) -> None:
    key = {
        "id": "0" * 16,
        "role": "app",
        "app_id": world.app.id,
        "livemode": False,
        "secret_sha256": bytes(32),
        "created_at": AT,
    }
    with pytest.raises(CheckViolation):
        inserts(owner, "api_keys", key)(**row)
    inserts(owner, "api_keys", key)()


class TestKeys:
    @pytest.fixture
    def key(self, world: World, owner: Owner) -> Write:
        return inserts(
            owner,
            "api_keys",
            {
                "id": "0" * 16,
                "role": "app",
                "app_id": world.app.id,
                "name": "shop",
                "livemode": False,
                "secret_sha256": bytes(32),
                "created_at": AT,
            },
        )

    def test_two_living_ones_of_a_name(self, world: World, key: Write) -> None:
        key()
        refused("two_living_keys_of_a_name", key, id="1" * 16)
        key(id="1" * 16, slot=2)
        with pytest.raises(CheckViolation):
            key(id="2" * 16, slot=3)
        key(id="3" * 16, revoked_at=AT)
        key(id="4" * 16, name="till")
        key(id="5" * 16, app_id=world.other_app.id)
        key(id="6" * 16, role="admin", app_id=None)
        refused("two_living_keys_of_a_name", key, id="7" * 16, role="admin", app_id=None)

    @pytest.mark.parametrize(
        "row",
        [
            {"name": ""},
            {"name": "Shop"},
            {"name": "_shop"},
            {"name": "s" * 65},
            {"calls_per_minute": 0},
            {"calls_per_minute": 1_000_001},
        ],
    )
    def test_values_that_no_key_has(self, key: Write, row: dict[str, object]) -> None:
        with pytest.raises(CheckViolation):
            key(**row)

    @pytest.mark.parametrize(
        "change",
        [
            "id = repeat('1', 16)",
            "role = 'admin', app_id = NULL",
            "app_id = (SELECT id FROM apps WHERE id <> app_id LIMIT 1)",
            "livemode = true",
            "secret_sha256 = decode(repeat('01', 32), 'hex')",
            "created_at = now()",
            "revoked_at = NULL",
            "revoked_at = now()",
        ],
    )
    def test_whose_it_is_is_fixed_and_so_is_its_end(
        self, owner: Owner, key: Write, change: str
    ) -> None:
        key(revoked_at=AT)
        with pytest.raises(CheckViolation, match="fixed for life"):
            owner.execute(f"UPDATE api_keys SET {change} WHERE id = repeat('0', 16)".encode())
        owner.execute(
            """UPDATE api_keys SET scopes = '{}', calls_per_minute = 1, last_used_at = now(),
                                   expires_at = now() WHERE id = repeat('0', 16)"""
        )


class TestPlans:
    @pytest.fixture
    def plan(self, world: World, owner: Owner) -> Write:
        return inserts(
            owner,
            "plans",
            {
                "app_id": world.app.id,
                "code": "weekly",
                "product": "pro",
                "interval_unit": "week",
                "interval_count": 1,
                "created_at": AT,
            },
        )

    def test_one_for_a_code_of_an_app(self, world: World, plan: Write) -> None:
        plan()
        refused("plans_pkey", plan, product="other")
        plan(app_id=world.other_app.id)

    @pytest.mark.parametrize(
        "row",
        [
            {"code": "With Space"},
            {"product": ""},
            {"interval_unit": "hour"},
            {"interval_count": 0},
            {"interval_count": 367},
            {"trial_days": -1},
            {"grace_days": 367},
        ],
    )
    def test_values_that_no_plan_has(self, plan: Write, row: dict[str, object]) -> None:
        with pytest.raises(CheckViolation):
            plan(**row)

    @pytest.mark.parametrize(
        "change",
        [
            "app_id = (SELECT id FROM apps WHERE id <> app_id LIMIT 1)",
            "code = 'other'",
            "product = 'other'",
            "interval_unit = 'day'",
            "interval_count = 2",
            "created_at = now()",
        ],
    )
    def test_what_one_sells_is_fixed_for_life(self, owner: Owner, plan: Write, change: str) -> None:
        plan()
        with pytest.raises(CheckViolation, match="fixed for life"):
            owner.execute(f"UPDATE plans SET {change} WHERE code = 'weekly'".encode())
        owner.execute("UPDATE plans SET trial_days = 1, grace_days = 1, archived_at = now()")

    @pytest.mark.parametrize("amount_minor", [0, -1, 1_000_000_000_000])
    def test_a_price_is_an_amount(self, world: World, owner: Owner, amount_minor: int) -> None:
        price = {
            "app_id": world.app.id,
            "plan": "monthly",
            "currency": "UGX",
            "amount_minor": amount_minor,
        }
        with pytest.raises(CheckViolation):
            inserts(owner, "plan_prices", price)()
