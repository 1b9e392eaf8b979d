"""What is open is looked at again, also when somebody stops looking at that very moment."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg

from tests.operations.test_settlement import create, deliver
from tests.world import World
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.principal import EVERY_TENANT
from tollgate.storage import checks, payments

ASK_BACK = """
    INSERT INTO refunds (id, app_id, payment_id, psp, amount_minor, currency, status,
                         idempotency_key, request_sha256, created_at, updated_at)
    SELECT 'ref_1', app_id, id, psp, 1, currency, 'pending', 'k', sha256('x'), now(), now()
    FROM payments"""
CHECK_IT = "UPDATE payments SET next_check_at = least(next_check_at, now()), checks = 0"


def waits_for_a_row(world: World) -> bool:
    return bool(world.rows("SELECT FROM pg_locks WHERE NOT granted"))


def test_a_refund_that_begins_while_reconcile_ends_stays_due(world: World) -> None:
    payment_id = create(world)
    world.psp.status = PaymentStatus.SUCCEEDED
    deliver(world, payment_id)
    world.rows("UPDATE payments SET next_check_at = now() RETURNING id")
    reconcile = world.context.within(EVERY_TENANT).database
    world.pass_time(days=400)
    assert checks.claim_due(reconcile, world.now, 1) == [payment_id]
    version = payments.get_payment(reconcile, payment_id).version

    with psycopg.connect(world.stores.owner_url) as app, ThreadPoolExecutor(1) as pool:
        app.execute("SELECT FROM payments FOR UPDATE")
        app.execute(ASK_BACK)
        app.execute(CHECK_IT)
        stopping = pool.submit(checks.end_checks, reconcile, payment_id, version)
        until = time.monotonic() + 10
        while not waits_for_a_row(world) and time.monotonic() < until:
            time.sleep(0.01)
        app.commit()
        stopping.result()
    ((is_due,),) = world.rows("SELECT next_check_at IS NOT NULL FROM payments")
    assert is_due


def test_where_nothing_is_open_it_stops(world: World) -> None:
    payment_id = create(world)
    world.psp.status = PaymentStatus.SUCCEEDED
    deliver(world, payment_id)
    world.rows("UPDATE payments SET next_check_at = created_at RETURNING id")
    world.run_timer("payments/reconcile")
    assert world.rows("SELECT next_check_at FROM payments") == [(None,)]
