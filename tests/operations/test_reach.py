"""Nobody gives away more than they have: operators' keys and tokens."""

import pytest

from tests.callers import token_of
from tests.operators import KeyOperator, refusal, rows_of
from tests.world import World
from tollgate.domain.principal import Role

FORBIDDEN: tuple[int, str, list[str]] = (403, "forbidden", [])


@pytest.fixture
def keys(world: World) -> KeyOperator:
    return KeyOperator(world)


@pytest.fixture
def narrow(world: World, keys: KeyOperator) -> str:
    """An operator's key that may change what others may, and read nothing."""
    made = keys.new(role="admin", name="narrow", scopes=["admin:write"])
    return str(made["key"])


def test_a_narrowed_operator_gives_no_operator_more(
    world: World, keys: KeyOperator, narrow: str
) -> None:
    full, own = (key.split("_")[2] for key in (world.seed.admin_key, narrow))
    untouched = rows_of(world, "api_keys")
    wider = {"scopes": ["admin:write", "payments:read"]}
    widened = world.call("admin/keys", method="PUT", path=f"/{own}", body=wider, key=narrow)
    assert refusal(widened) == FORBIDDEN
    for body in ({"role": "admin"}, {"role": "admin", "scopes": ["admin:read"]}):
        made = world.call("admin/keys", body={"name": "new", **body}, key=narrow)
        assert refusal(made) == FORBIDDEN
    rotated = world.call("admin/keys", path=f"/{full}", body=b"{}", key=narrow)
    assert refusal(rotated) == FORBIDDEN
    assert rows_of(world, "api_keys") == untouched


def test_but_what_it_has_and_what_apps_need(world: World, keys: KeyOperator, narrow: str) -> None:
    alike = {"role": "admin", "name": "alike", "scopes": ["admin:write"]}
    assert world.call("admin/keys", body=alike, key=narrow).status == 201
    of_app = {"app_id": world.app.id, "name": "new"}
    assert world.call("admin/keys", body=of_app, key=narrow).status == 201
    own = narrow.split("_")[2]
    assert world.call("admin/keys", path=f"/{own}", body=b"{}", key=narrow).status == 201


def test_a_token_makes_no_key_that_outlives_it(world: World, keys: KeyOperator) -> None:
    token = token_of(world, world.seed.admin_key, Role.ADMIN, "admin")
    untouched = rows_of(world, "api_keys")
    assert refusal(world.call("admin/keys", body={"role": "admin"}, key=token)) == FORBIDDEN
    own = world.seed.admin_key.split("_")[2]
    assert refusal(world.call("admin/keys", path=f"/{own}", body=b"{}", key=token)) == FORBIDDEN
    assert rows_of(world, "api_keys") == untouched
    assert world.call("admin/apps", method="GET", key=token).status == 200
