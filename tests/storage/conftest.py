"""Rows to write, a Redis that others write to, and a folder for a server of a test's own."""

import contextlib
from collections.abc import Callable, Iterator, Mapping

import psycopg
import pytest
import redis
from psycopg import sql

from tests.conftest import Cluster
from tests.storage.money_rows import MoneyRows
from tests.world import Stores, World
from tollgate.domain.principal import EVERY_TENANT
from tollgate.storage.cache import Cache
from tollgate.storage.database import Database

SECRET = b"the deployment's own"
AT = "2026-01-31T09:00:00Z"
Owner = psycopg.Connection[tuple[object, ...]]
Superuser = psycopg.Connection[tuple[object, ...]]
Write = Callable[..., None]


@pytest.fixture
def cache(stores: Stores) -> Iterator[Cache]:
    cache = Cache(stores.redis_url, SECRET)
    yield cache
    cache.close()


@pytest.fixture
def server(stores: Stores) -> Iterator["redis.Redis"]:
    """Somebody else who can write to the same Redis."""
    with contextlib.closing(redis.Redis.from_url(stores.redis_url)) as client:
        yield client


@pytest.fixture
def owner(world: World) -> Iterator[Owner]:
    """Who may write anything: what holds for it holds for everybody."""
    with psycopg.connect(world.stores.owner_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def money(world: World, owner: Owner) -> MoneyRows:
    """Payments, refunds and disputes of the first app, written by the owner."""
    return MoneyRows(owner, world.app.id)


@pytest.fixture
def payment(world: World, owner: Owner) -> Write:
    return inserts(
        owner,
        "payments",
        {
            "id": "pay_1",
            "app_id": world.app.id,
            "client_id": "client-1",
            "idempotency_key": "k-1",
            "amount_minor": 100,
            "currency": "KES",
            "status": "pending",
            "psp": "stripe",
            "psp_reference": None,
            "livemode": False,
            "plan": None,
            "product": None,
            "created_at": AT,
            "updated_at": AT,
            "expires_at": AT,
        },
    )


@pytest.fixture
def subscription(world: World, owner: Owner) -> Write:
    for app in world.seed.apps:
        for client_id in ("client-1", "client-2"):
            client = {"app_id": app.id, "client_id": client_id, "created_at": AT}
            inserts(owner, "clients", client)()
    return inserts(
        owner,
        "subscriptions",
        {
            "id": "sub_1",
            "app_id": world.app.id,
            "client_id": "client-1",
            "product": "pro",
            "plan": "monthly",
            "livemode": False,
            "ended_at": None,
            "paid_through": None,
            "grace_until": None,
            "created_at": AT,
            "updated_at": AT,
        },
    )


@pytest.fixture
def period(
    world: World,
    owner: Owner,
    payment: Write,
    subscription: Write,
) -> Write:
    for number in ("1", "2"):
        payment(id=f"pay_{number}", idempotency_key=f"k-{number}")
    subscription()
    subscription(id="sub_2", client_id="client-2")
    return inserts(
        owner,
        "subscription_periods",
        {
            "payment_id": "pay_1",
            "subscription_id": "sub_1",
            "app_id": world.app.id,
            "starts_at": "2026-02-01T00:00:00Z",
            "ends_at": "2026-03-01T00:00:00Z",
            "created_at": AT,
        },
    )


def inserts(owner: Owner, table: str, row: Mapping[str, object]) -> Write:
    """Writes rows like this one, with what a call changes."""

    def insert(**changed: object) -> None:
        values = {**row, **changed}
        owner.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(map(sql.Placeholder, values)),
            ),
            values,
        )

    return insert


@pytest.fixture
def database(stores: Stores) -> Iterator[Database]:
    """What a function holds."""
    database = Database(stores.service_url)
    yield database
    database.close()


@pytest.fixture
def as_owner(stores: Stores) -> Iterator[Database]:
    """The same, as the owner of the tables who sees every tenant's rows."""
    database = Database(stores.owner_url).within(EVERY_TENANT)
    yield database
    database.close()


@pytest.fixture
def superuser(cluster: Cluster, stores: Stores) -> Iterator[Superuser]:
    """The superuser, who ends other people's connections."""
    assert cluster.template.superuser is not None
    with psycopg.connect(cluster.template.superuser, autocommit=True) as connection:
        yield connection
