"""Why somebody is refused can't be told by what it takes to find out."""

import pytest

from tests.callers import DEAD_REDIS, UNKNOWN_KEY, id_of, note_sent, token_of
from tests.operators import KeyOperator, Operator
from tests.world import World
from tollgate.storage import admissions

GUESS = UNKNOWN_KEY.split("_")[3]


@pytest.fixture
def strangers(world: World) -> dict[str, str]:
    """What they bring, by why it is refused."""
    keys = KeyOperator(world)
    revoked, expired = keys.new()["key"], keys.new(expires_at="2026-01-31T09:00:10Z")["key"]
    keys.ask("DELETE", f"/{id_of(revoked)}")
    Operator(world, "apps").ask("DELETE", f"/{world.other_app.id}")
    world.pass_time(seconds=10)
    return {
        "unknown": UNKNOWN_KEY,
        "wrong secret": f"tg_test_{id_of(world.app.key)}_{GUESS}",
        "wrong mode": world.app.key.replace("_test_", "_live_"),
        "revoked": revoked,
        "expired": expired,
        "revoked, wrong secret": f"tg_test_{id_of(revoked)}_{GUESS}",
        "of a deleted app": world.other_app.key,
        "token of a revoked key": token_of(world, revoked),
        "token of an unknown key": token_of(world, UNKNOWN_KEY),
    }


@pytest.mark.parametrize("redis", [True, False], ids=["redis", "no redis"])
def test_all_cost_the_same(
    world: World, strangers: dict[str, str], monkeypatch: pytest.MonkeyPatch, redis: bool
) -> None:
    context = world.context if redis else world.new_context(redis_url=DEAD_REDIS)
    asked = note_sent(monkeypatch)

    def cost(stranger: str) -> tuple[str, ...]:
        asked.clear()
        request, key = {"client_id": "c", "plan": "monthly"}, {"idempotency-key": "k"}
        refused = world.call(
            "payments/create", body=request, headers=key, key=stranger, context=context
        )
        assert (refused.status, refused.json["code"]) == (401, "credentials_refused")
        return tuple(asked)

    cost(UNKNOWN_KEY)  # connected
    costs = set()
    for stranger in strangers.values():
        admissions.forget()
        world.context.cache._ask("FLUSHALL")
        cold, warm = cost(stranger), cost(stranger)
        admissions.forget()  # another container, beside this one
        costs.add((cold, warm, cost(stranger)))
    script, row, keep = "redis", "postgresql", "redis"
    if redis:
        assert costs == {((script, row, keep, script), (script,), (script,))}
    else:
        assert costs == {((row,), (), (row,))}
    context.database.close()
