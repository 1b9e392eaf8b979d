"""Behind PgBouncer in transaction mode, where statements of all callers share a few connections."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

from tests.storage.pgbouncer import pgbouncer
from tests.world import World
from tollgate.domain.principal import Tenant
from tollgate.storage import apps, payments
from tollgate.storage.database import Database

CALLERS = 8
TURNS = 100


def test_each_statement_sees_its_own_tenant(world: World, folder: Path) -> None:
    ids = {}
    for app in world.seed.apps:
        request, key = {"client_id": "c", "plan": "monthly"}, {"idempotency-key": "k"}
        answer = world.call("payments/create", body=request, key=app.key, headers=key)
        ids[app.id] = answer.json["id"]
    with pgbouncer(world.stores.service_url, folder, pool_size=2) as url:

        def ask(number: int) -> None:
            mine, foreign = (world.seed.apps[(number + turn) % 2].id for turn in (0, 1))
            database = Database(url).within(Tenant(mine))
            for _ in range(TURNS):
                rows = database.all("SELECT app_id FROM payments", {})
                assert [row["app_id"] for row in rows] == [mine]
                assert payments.find_payment(database, ids[foreign]) is None
                with database.transaction():
                    assert payments.lock_payment(database, ids[mine]).app_id == mine
                assert apps.find_app(database, foreign) is None
            database.close()

        def ask_as_nobody(_: int) -> None:
            with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
                for _ in range(TURNS):
                    assert connection.execute("SELECT id FROM payments").fetchall() == []

        with ThreadPoolExecutor(CALLERS) as pool:
            asked = [pool.submit(ask, number) for number in range(CALLERS - 2)]
            asked += [pool.submit(ask_as_nobody, number) for number in range(2)]
            for one in asked:
                one.result()


def test_the_main_job_is_done(world: World, folder: Path) -> None:
    with pgbouncer(world.stores.service_url, folder, pool_size=1) as url:
        context = world.new_context(database_url=url)
        request, key = {"client_id": "c", "plan": "monthly"}, {"idempotency-key": "k"}
        for _ in range(2):
            answer = world.call("payments/create", body=request, headers=key, context=context)
            assert answer.status == 201
        check = world.call("subscriptions/check", method="GET", path="/c", context=context)
        assert check.json["reason"] == "payment_pending"
        context.database.close()
        context.cache.close()
