"""Whether this deployment can do its work: yes without Redis, no without PostgreSQL."""

import pytest

from tests.world import World

NO_REDIS = "redis://127.0.0.1:1/0"
NO_DATABASE = "postgresql://nobody:s3cret@127.0.0.1:1/nowhere"


def test_all_is_well(world: World) -> None:
    answer = world.call("ops/health", method="GET")
    assert answer.status == 200
    assert answer.json == {"status": "ok", "mode": "test", "database": "ok", "redis": "ok"}


@pytest.mark.parametrize(
    ("missing", "status", "says"),
    [
        (
            {"redis_url": NO_REDIS},
            200,
            {"status": "degraded", "database": "ok", "redis": "unavailable"},
        ),
        (
            {"database_url": NO_DATABASE},
            503,
            {"status": "unavailable", "database": "unavailable", "redis": "ok"},
        ),
        (
            {"database_url": NO_DATABASE, "redis_url": NO_REDIS},
            503,
            {"status": "unavailable", "database": "unavailable", "redis": "unavailable"},
        ),
    ],
    ids=["no redis", "no database", "neither"],
)
def test_what_is_missing_is_named(
    world: World, missing: dict[str, str], status: int, says: dict[str, str]
) -> None:
    context = world.new_context(**missing)
    answer = world.call("ops/health", method="GET", context=context)
    context.database.close()
    context.cache.close()
    assert (answer.status, answer.json) == (status, {"mode": "test", **says})


def test_is_well_again_as_soon_as_the_database_is(world: World) -> None:
    context = world.new_context(database_url=NO_DATABASE)
    assert world.call("ops/health", method="GET", context=context).status == 503
    context.database._link._url = world.stores.service_url
    assert world.call("ops/health", method="GET", context=context).status == 200
    context.database.close()
    context.cache.close()


def test_the_mode_is_told(world: World) -> None:
    context = world.new_context(livemode=True)
    assert world.call("ops/health", method="GET", context=context).json["mode"] == "live"
    context.database.close()
    context.cache.close()


def test_a_monitor_needs_no_key_and_may_ask_in_its_own_way(world: World) -> None:
    answer = world.call("ops/health", method="GET", key="garbage", query="probe=1&t=5")
    assert answer.status == 200
    assert world.call("ops/health", method="POST").status == 405
