"""The audit log is only added to, and each row is linked into its chain as it is committed."""

import hashlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.errors import CheckViolation, FeatureNotSupported, ObjectNotInPrerequisiteState

from tests.conftest import Cluster, renamed
from tests.storage.conftest import Owner
from tests.storage.pgbouncer import pgbouncer
from tests.world import World
from tollgate.domain.errors import ConstraintViolated
from tollgate.domain.principal import EVERY_TENANT, NO_TENANT, Tenant
from tollgate.operations.audit import verify_audit
from tollgate.storage import audit
from tollgate.storage.database import Database

AT = datetime(2026, 1, 31, 9, 0, 0, 123456, tzinfo=UTC)
INSERT = """INSERT INTO audit_log (app_id, actor, action, object_id, before, after, at)
            VALUES (%(app)s, 'key:1', 'x', %(object)s, NULL, '{"a": "\\u00fc"}', %(at)s)"""
WRITERS = 6
TURNS = 20


def add(database: Database, app: str | None, object_id: str = "pay_1") -> None:
    database.one(INSERT, {"app": app, "object": object_id, "at": AT})


def of(world: World, tenant: Tenant) -> Database:
    return world.context.database.within(tenant)


def chain(world: World, app: str) -> list[str]:
    """The objects of this chain's rows by their positions, which must have no gap."""
    rows = world.rows(
        """SELECT l.position, a.object_id FROM audit_links l JOIN audit_log a ON a.id = l.audit_id
           WHERE l.chain = %s ORDER BY 1""",
        app,
    )
    assert [position for position, _ in rows] == list(range(1, len(rows) + 1))
    return [object_id for _, object_id in rows]


def is_whole(world: World) -> bool:
    """Every row is linked, and every link is right."""
    ((unlinked,),) = world.rows(
        "SELECT count(*) FROM audit_log WHERE id NOT IN (SELECT audit_id FROM audit_links)"
    )
    context = world.context.within(EVERY_TENANT)
    return unlinked == 0 and not verify_audit(context, lambda line: None).broken


@pytest.fixture
def service(world: World) -> Iterator[Owner]:
    """The functions' own login, working for an app."""
    options = f"-c tollgate.app_id={world.app.id}"
    with psycopg.connect(world.stores.service_url, autocommit=True, options=options) as connection:
        yield connection


class TestLinks:
    def test_what_was_done_is_linked(self, world: World) -> None:
        for app in world.seed.apps:
            request, key = {"client_id": "c", "plan": "monthly"}, {"idempotency-key": "k"}
            answer = world.call("payments/create", body=request, key=app.key, headers=key)
            assert answer.json["id"] in chain(world, app.id)
            assert chain(world, app.id)[0] == app.id
        assert chain(world, "")  # the operator's key
        assert is_whole(world)

    @pytest.mark.parametrize(
        "setting",
        [
            "TimeZone=Asia/Kolkata",
            "DateStyle=SQL,DMY",
            "IntervalStyle=iso_8601",
            "bytea_output=escape",
            "extra_float_digits=-15",
            "client_encoding=LATIN1",
            "standard_conforming_strings=on",
        ],
    )
    def test_a_hash_is_of_the_row_behind_the_last_hash(self, world: World, setting: str) -> None:
        """Computed here by the same description, whatever the session that wrote it was set to."""
        (before,) = world.rows(
            "SELECT position, hash FROM audit_links WHERE chain = '' ORDER BY 1 DESC LIMIT 1"
        )
        url = f"{world.stores.owner_url}%20-c%20{setting.replace('=', '%3D')}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(INSERT.encode(), {"app": None, "object": "ö'\"", "at": AT})
        (row,) = world.rows(
            """SELECT position, audit_id, hash FROM audit_links
               WHERE chain = '' ORDER BY 1 DESC LIMIT 1"""
        )
        micros = 1_769_850_000_123_456
        place = [row[0], row[1], None, "key:1", "x", "ö'\"", None, {"a": "ü"}, micros]
        text = json.dumps(place, ensure_ascii=False)
        assert row[0] == before[0] + 1
        assert row[2] == hashlib.sha256(bytes(before[1]) + text.encode()).digest()

    def test_the_first_stands_behind_32_zero_bytes(self, world: World) -> None:
        ((audit_id, app_id, actor, action, object_id, before, after, micros, digest),) = world.rows(
            """SELECT a.id, a.app_id, actor, action, object_id, before::text, after::text,
                      (extract(epoch FROM at) * 1000000)::bigint, hash
               FROM audit_links JOIN audit_log a ON a.id = audit_id
               WHERE chain = %s AND position = 1""",
            world.app.id,
        )
        head = json.dumps([1, audit_id, app_id, actor, action, object_id])[:-1]
        text = f"{head}, {before or 'null'}, {after or 'null'}, {micros}]"
        assert bytes(digest) == hashlib.sha256(bytes(32) + text.encode()).digest()

    def test_each_app_has_a_chain_of_its_own(self, world: World) -> None:
        lengths = [len(chain(world, app.id)) for app in world.seed.apps]
        add(of(world, Tenant(world.app.id)), world.app.id, "pay_mine")
        assert chain(world, world.app.id)[-1] == "pay_mine"
        assert [len(chain(world, app.id)) for app in world.seed.apps] == [
            lengths[0] + 1,
            lengths[1],
        ]

    @pytest.mark.parametrize("last", [NO_TENANT, Tenant("app_0"), Tenant("app_0", "client-1")])
    def test_whose_rows_a_transaction_saw_last_does_not_matter(
        self, world: World, last: Tenant
    ) -> None:
        database = of(world, NO_TENANT)
        with database.transaction():
            for number, app in enumerate((*world.seed.apps, *world.seed.apps)):
                add(database.within(Tenant(app.id)), app.id, f"pay_{number}")
            add(database.within(EVERY_TENANT), None, "key")
            database.within(last).one("SELECT 1", {})
        assert chain(world, world.app.id)[-2:] == ["pay_0", "pay_2"]
        assert chain(world, world.other_app.id)[-2:] == ["pay_1", "pay_3"]
        assert chain(world, "")[-1] == "key"
        assert is_whole(world)

    def test_linking_ahead_of_the_commit_opens_nothing(self, world: World, service: Owner) -> None:
        with service.transaction():
            service.execute(INSERT.encode(), {"app": world.app.id, "object": "pay_mine", "at": AT})
            service.execute("SET CONSTRAINTS ALL IMMEDIATE")
            seen = service.execute("SELECT DISTINCT app_id FROM audit_log").fetchall()
            assert seen == [(world.app.id,)]
        assert chain(world, world.app.id)[-1] == "pay_mine"

    def test_a_statement_of_many_rows(self, world: World) -> None:
        of(world, EVERY_TENANT).one(
            """INSERT INTO audit_log (app_id, actor, action, object_id, at)
               SELECT (ARRAY[%(one)s, %(other)s, NULL])[n %% 3 + 1], 'a', 'x', n::text, now()
               FROM generate_series(1, 300) AS n ORDER BY random()""",
            {"one": world.app.id, "other": world.other_app.id},
        )
        assert is_whole(world)
        by_id = world.rows(
            "SELECT object_id FROM audit_log WHERE app_id = %s ORDER BY id", world.app.id
        )
        assert chain(world, world.app.id) == [object_id for (object_id,) in by_id]

    def test_by_the_index_whenever_the_plan_was_made(self, world: World) -> None:
        """A connection keeps the plan that it made while there were few."""
        reads = """SELECT pg_stat_force_next_flush(), idx_scan, seq_scan FROM pg_stat_user_tables
                   WHERE relname = 'audit_links'"""
        database = of(world, Tenant(world.app.id))
        ((_, by_index, of_all),) = world.rows(reads)
        for _ in range(20):
            add(database, world.app.id)
        database.one("SELECT pg_stat_force_next_flush()", {})
        database.close()
        ((_, by_index_then, of_all_then),) = world.rows(reads)
        assert of_all_then == of_all
        assert by_index_then >= by_index + 20


class TestTransactions:
    def test_that_are_undone_leave_no_gap(self, world: World, service: Owner) -> None:
        row = {"app": world.app.id, "object": "pay_undone", "at": AT}
        length = len(chain(world, world.app.id))
        with service.transaction(force_rollback=True):
            service.execute(INSERT.encode(), row)
            service.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with service.transaction():
            with service.transaction(force_rollback=True):
                service.execute(INSERT.encode(), row)
            service.execute(INSERT.encode(), {**row, "object": "pay_done"})
        assert chain(world, world.app.id)[length:] == ["pay_done"]
        assert is_whole(world)

    def test_undoing_the_link_alone_does_not_spare_the_row(
        self, world: World, service: Owner
    ) -> None:
        with service.transaction():
            service.execute(INSERT.encode(), {"app": world.app.id, "object": "pay_1", "at": AT})
            with service.transaction(force_rollback=True):
                service.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert chain(world, world.app.id)[-1] == "pay_1"
        assert is_whole(world)

    def test_one_that_goes_on_keeps_nobody_waiting(self, world: World) -> None:
        slow, fast = (Database(world.stores.service_url) for _ in range(2))
        with slow.transaction():
            add(slow.within(Tenant(world.app.id)), world.app.id, "pay_slow")
            add(fast.within(Tenant(world.app.id)), world.app.id, "pay_fast")
        assert chain(world, world.app.id)[-2:] == ["pay_fast", "pay_slow"]
        assert is_whole(world)
        slow.close()
        fast.close()

    def test_at_the_same_time(self, world: World) -> None:
        """Each adds to several chains, in an order of its own."""
        self.write_from_threads(world, world.stores.service_url)

    def test_behind_pgbouncer(self, world: World, folder: Path) -> None:
        with pgbouncer(world.stores.service_url, folder, pool_size=2) as url:
            self.write_from_threads(world, url)

    @staticmethod
    def write_from_threads(world: World, url: str) -> None:
        chains = (world.app.id, world.other_app.id, None)

        def write(writer: int) -> None:
            database = Database(url)
            for turn in range(TURNS):
                order = chains if writer % 2 else chains[::-1]
                with database.transaction():
                    for app in order:
                        tenant = Tenant(app) if app else EVERY_TENANT
                        add(database.within(tenant), app, f"{writer}.{turn}")
            database.close()

        lengths = {app: len(chain(world, app or "")) for app in chains}
        with ThreadPoolExecutor(WRITERS) as pool:
            for written in [pool.submit(write, writer) for writer in range(WRITERS)]:
                written.result()
        every = {f"{writer}.{turn}" for writer in range(WRITERS) for turn in range(TURNS)}
        for app in chains:
            added = chain(world, app or "")[lengths[app] :]
            assert set(added) == every and len(added) == len(every)
        assert is_whole(world)


class TestRefused:
    STATEMENTS = (
        "UPDATE audit_log SET actor = 'nobody'",
        "UPDATE audit_log SET actor = 'nobody' WHERE false",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log CASCADE",
        "UPDATE audit_links SET hash = sha256('x')",
        "DELETE FROM audit_links",
        "TRUNCATE audit_links",
        "INSERT INTO audit_links SELECT * FROM audit_links"
        " ON CONFLICT (chain, position) DO UPDATE SET hash = sha256('x')",
    )

    @pytest.mark.parametrize("statement", STATEMENTS)
    def test_to_the_owner(self, world: World, owner: Owner, statement: str) -> None:
        table = re.findall(r"audit_\w+", statement)[0]
        with pytest.raises(CheckViolation, match=f"{table} is append-only"):
            owner.execute(statement.encode())
        assert is_whole(world)

    def test_a_table_with_links_is_not_emptied(self, owner: Owner) -> None:
        with pytest.raises(FeatureNotSupported):
            owner.execute("TRUNCATE audit_log")

    @pytest.mark.parametrize("statement", STATEMENTS)
    def test_to_a_superuser(self, cluster: Cluster, world: World, statement: str) -> None:
        with superuser_of(cluster, world) as connection, pytest.raises(CheckViolation):
            connection.execute(statement.encode())

    @pytest.mark.parametrize("audit_id", [1, -1, 0, 10**12])
    def test_an_id_of_one_s_own(self, world: World, audit_id: int) -> None:
        statement: Any = f"""INSERT INTO audit_log (id, app_id, actor, action, object_id, at)
                             OVERRIDING SYSTEM VALUE
                             VALUES ({audit_id}, %(app)s, 'a', 'x', 'y', now())"""
        options = f"-c tollgate.app_id={world.app.id}"
        with (
            psycopg.connect(
                world.stores.service_url, autocommit=True, options=options
            ) as connection,
            pytest.raises(ObjectNotInPrerequisiteState),
        ):  # it took no id before
            connection.execute(statement, {"app": world.app.id})
        database = of(world, Tenant(world.app.id))
        add(database, world.app.id)
        with pytest.raises(ConstraintViolated):
            database.one(statement, {"app": world.app.id})
        assert is_whole(world)

    def test_tables_of_the_same_names_take_no_links(self, world: World, service: Owner) -> None:
        """What a session may make, in the schema that comes before all others."""
        for table in ("audit_log", "audit_links"):
            service.execute(f"CREATE TEMP TABLE {table} (LIKE public.{table})".encode())
        service.execute("SET search_path = pg_temp, public")
        service.execute(
            INSERT.replace("audit_log", "public.audit_log").encode(),
            {"app": world.app.id, "object": "pay_1", "at": AT},
        )
        assert service.execute("SELECT * FROM pg_temp.audit_links").fetchall() == []
        assert chain(world, world.app.id)[-1] == "pay_1"
        assert is_whole(world)


class TestTimeline:
    def test_is_of_these_objects_oldest_first(self, world: World) -> None:
        mine, foreign = of(world, Tenant(world.app.id)), of(world, Tenant(world.other_app.id))
        for object_id in ("pay_1", "sub_1", "pay_2", "sub_1"):
            add(mine, world.app.id, object_id)
        add(foreign, world.other_app.id, "pay_1")
        rows = audit.list_of_object(mine, ["pay_1", "sub_1"])
        assert [row.object_id for row in rows] == ["pay_1", "sub_1", "sub_1"]
        assert vars(rows[0]) == {
            "at": AT,
            "actor": "key:1",
            "action": "x",
            "object_id": "pay_1",
            "before": None,
            "after": {"a": "ü"},
        }
        assert len(audit.list_of_object(of(world, EVERY_TENANT), ["pay_1"])) == 2
        assert audit.list_of_object(mine, ["pay_0"]) == []
        assert audit.list_of_object(mine, []) == []

    def test_is_read_by_its_index(self, owner: Owner) -> None:
        owner.execute("SET enable_seqscan = off")
        plan = owner.execute(
            "EXPLAIN SELECT * FROM audit_log WHERE object_id = ANY ('{a,b}') ORDER BY id"
        ).fetchall()
        assert "audit_log_of_object" in str(plan)


def superuser_of(cluster: Cluster, world: World) -> Owner:
    """Who may do anything, in this test's database."""
    assert cluster.template.superuser is not None
    name = world.stores.service_url.rpartition("/")[2].partition("?")[0]
    return psycopg.connect(renamed(cluster.template.superuser, name), autocommit=True)
