"""The schema keeps the edges of a payment too, against whoever writes."""

from collections import deque
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import CheckViolation

from local.databases import seeing_all
from local.seed import seed
from tests.world import START, Stores
from tollgate.domain.payment import EDGES, PAID, PaymentStatus

WHOLE = 150_000

MAY_CHANGE = {
    "status": "requires_action",
    "psp_reference": "ref_1",
    "method": "card",
    "subscription_id": None,
    "description": "x",
    "customer": b"\x01sealed",
    "customer_email_index": bytes(16),
    "next_action": "{}",
    "failure": "{}",
    "version": 2,
    "updated_at": START,
    "expires_at": START,
    "asked_at": START,
    "capture_amount_minor": 1,
    "cancel_asked_at": START,
    "review": "{}",
    "next_check_at": START,
    "checks": 1,
}
FIXED_FOR_LIFE = {
    "id": "pay_2",
    "app_id": "app_2",
    "client_id": "client-2",
    "idempotency_key": "k-2",
    "request_sha256": bytes(32),
    "capture": "manual",
    "amount_minor": 149_999,
    "currency": "USD",
    "psp": "paypal",
    "livemode": True,
    "plan": "yearly",
    "created_at": START.replace(year=2027),
}


@pytest.fixture
def service(stores: Stores) -> Iterator[psycopg.Connection]:
    """The functions' own login, with the pending payment pay_1.

    It sees every tenant's rows, so that what refuses here is the trigger, not a tenant's border.
    """
    app = seed(stores.owner_url, START, []).apps[0]
    with psycopg.connect(seeing_all(stores.service_url)) as connection:
        connection.execute(
            """INSERT INTO payments (id, app_id, client_id, idempotency_key, amount_minor, currency,
                                     status, psp, livemode, plan, product, created_at, updated_at,
                                     expires_at)
               VALUES ('pay_1', %(app_id)s, 'client-1', 'k-1', 150000, 'KES', 'pending', 'stripe',
                       false, 'monthly', 'pro', %(now)s, %(now)s, %(now)s)""",
            {"app_id": app.id, "now": START},
        )
        connection.commit()
        yield connection


def accepts(connection: psycopg.Connection, column: str, value: object) -> bool:
    """Whether the row takes this value; it keeps it then."""
    try:
        with connection.transaction():
            update = f"UPDATE payments SET {column} = %s WHERE id = 'pay_1'"
            connection.execute(update.encode(), [value])
    except CheckViolation:
        return False
    return True


def moves(connection: psycopg.Connection, there: PaymentStatus) -> bool:
    """Whether pay_1 goes to this state, with amounts that fit it; it stays there then."""
    taken = WHOLE if there in PAID else 0
    back = {PaymentStatus.PARTIALLY_REFUNDED: 1, PaymentStatus.REFUNDED: WHOLE}.get(there, 0)
    try:
        with connection.transaction():
            connection.execute(
                """UPDATE payments
                   SET status = %s, amount_refunded_minor = %s, version = version + 1,
                       amount_captured_minor = greatest(amount_captured_minor, %s)
                   WHERE id = 'pay_1'""",
                [there.value, back, taken],
            )
    except CheckViolation as violation:
        # anything else that refuses it would hide what the trigger says
        assert violation.diag.constraint_name is None, violation
        return False
    return True


def way_to(status: PaymentStatus) -> list[PaymentStatus]:
    """The states that lead from pending to this one, without pending."""
    ways = {PaymentStatus.PENDING: list[PaymentStatus]()}
    waiting = deque(ways)
    while waiting:
        here = waiting.popleft()
        for there in EDGES[here] - ways.keys():
            ways[there] = [*ways[here], there]
            waiting.append(there)
    return ways[status]


def test_the_table_holds_the_edges_of_the_domain(service: psycopg.Connection) -> None:
    rows = service.execute("SELECT from_status, to_status FROM payment_edges").fetchall()
    assert set(rows) == {
        (before.value, after.value) for before, reachable in EDGES.items() for after in reachable
    }


def test_the_service_can_not_change_the_edges(service: psycopg.Connection) -> None:
    for statement in (
        b"DELETE FROM payment_edges",
        b"INSERT INTO payment_edges VALUES ('refunded', 'pending')",
        b"ALTER TABLE payments DISABLE TRIGGER payments_guard",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), service.transaction():
            service.execute(statement)


def test_the_trigger_takes_every_edge_and_refuses_every_other_move(
    service: psycopg.Connection,
) -> None:
    taken = set()
    for before in PaymentStatus:
        for after in PaymentStatus:
            with service.transaction(force_rollback=True):
                for step in way_to(before):
                    assert moves(service, step)
                if moves(service, after):
                    taken.add((before, after))
    stays = {(status, status) for status in PaymentStatus}
    edges = {(before, after) for before, reachable in EDGES.items() for after in reachable}
    assert taken - stays == edges
    assert stays <= taken


def test_a_payment_begins_as_pending(service: psycopg.Connection) -> None:
    for status in set(PaymentStatus) - {PaymentStatus.PENDING}:
        with pytest.raises(CheckViolation, match="begins as pending"), service.transaction():
            service.execute(
                """INSERT INTO payments (id, app_id, client_id, idempotency_key, amount_minor,
                                         currency, status, psp, livemode, created_at, updated_at,
                                         expires_at)
                   SELECT 'pay_9', app_id, client_id, 'k-9', amount_minor, currency, %s, psp,
                          livemode, created_at, updated_at, expires_at
                   FROM payments""",
                [status.value],
            )


def test_what_a_payment_is_of_is_fixed_for_life(service: psycopg.Connection) -> None:
    for column, value in FIXED_FOR_LIFE.items():
        assert not accepts(service, column, value), column


def test_what_becomes_of_a_payment_may_change(service: psycopg.Connection) -> None:
    for column, value in MAY_CHANGE.items():
        assert accepts(service, column, value), column


def test_a_psp_reference_is_set_once(service: psycopg.Connection) -> None:
    assert accepts(service, "psp_reference", "ref_1")
    assert accepts(service, "psp_reference", "ref_1")
    assert not accepts(service, "psp_reference", "ref_2")
    assert not accepts(service, "psp_reference", None)


def test_the_owner_is_held_to_the_edges_too(service: psycopg.Connection, stores: Stores) -> None:
    assert moves(service, PaymentStatus.SUCCEEDED)
    service.commit()
    with psycopg.connect(stores.owner_url) as owner:
        assert not moves(owner, PaymentStatus.PENDING)
        assert not accepts(owner, "amount_minor", 1)
