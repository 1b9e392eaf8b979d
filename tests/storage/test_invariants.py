"""Each rule of the database names who breaks it: broken by force, with every guard switched off."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest

from tests.conftest import Cluster, new_stores, renamed
from tests.storage.offences import OFFENCES, Offence
from tests.test_operator_command import run
from tests.world import MONTHLY, World, world_over
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.principal import EVERY_TENANT
from tollgate.operations.invariants import SHOWN, check_invariants
from tollgate.storage.database import Database
from tollgate.storage.invariants import INVARIANTS, find_offenders

CASES = [
    pytest.param(name, offence, id=f"{name}-{number}")
    for name, offences in OFFENCES.items()
    for number, offence in enumerate(offences)
]


def create(world: World, client_id: str, *, key: str | None = None) -> str:
    answer = world.call(
        "payments/create",
        body={"client_id": client_id, "plan": world.plan},
        key=key,
        headers={"idempotency-key": f"k-{client_id}"},
    )
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def hear(world: World, payment_id: str) -> None:
    """A webhook makes us look."""
    event = {
        "event_id": f"evt_{len(world.psp.fetches)}",
        "type": "paid",
        "livemode": False,
        "payment_id": payment_id,
        "psp_reference": f"ref_{payment_id}",
    }
    answer = world.call(
        "webhook/receive", path="/stripe", body=event, headers={"signature": "signed"}
    )
    assert answer.status == 200


def refund(world: World, payment_id: str, client_id: str, amount: int | None = None) -> str:
    answer = world.call(
        "payments/refund",
        path=f"/{payment_id}",
        body={"amount": amount} if amount else {"reason": "all of it"},
        headers={"idempotency-key": f"k-{client_id}-back"},
    )
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def one_of_each(world: World) -> dict[str, Any]:
    """One payment of each kind, by name, and what belongs to it."""
    names = ("paid", "back", "disputed", "reviewed", "open")
    kept = {name: create(world, name) for name in names}
    kept["theirs"] = create(world, "paid-there", key=world.other_app.key)
    world.psp.status = PaymentStatus.SUCCEEDED
    for name in ("paid", "back", "disputed", "theirs"):
        hear(world, kept[name])
    world.psp.alter = lambda said: replace(said, money=Money(1, "KES"))
    hear(world, kept["reviewed"])
    world.psp.alter = lambda said: said
    kept["refund"] = refund(world, kept["paid"], "paid", 500)
    kept["whole"] = refund(world, kept["back"], "back")
    world.psp.dispute(kept["disputed"], MONTHLY, DisputeStatus.OPEN)
    hear(world, kept["disputed"])
    paid = kept["paid"]
    ((kept["dispute"],),) = world.rows("SELECT id FROM disputes")
    ((kept["subscription"],),) = world.rows(
        "SELECT subscription_id FROM payments WHERE id = %s", paid
    )
    ((kept["event"],),) = world.rows(
        "SELECT id FROM outbox WHERE aggregate_id = %s AND type = 'payment.succeeded'", paid
    )
    ((kept["row"],),) = world.rows("SELECT min(id) FROM audit_log WHERE object_id = %s", paid)
    return {**kept, "app": world.app.id, "other": world.other_app.id}


class Undone(Exception):
    """Ends a transaction whose changes nobody shall see."""


@dataclass(frozen=True)
class Scene:
    """What is broken, by whom, and put back each time. `force` is the superuser's connection."""

    world: World
    kept: dict[str, Any]
    force: Database

    def offenders_after(self, offence: Offence, name: str) -> set[str]:
        """Who breaks the rule once this was done with no trigger, reference or constraint."""
        (invariant,) = (each for each in INVARIANTS if each.name == name)
        found: set[str] = set()
        with contextlib.suppress(Undone), self.force.transaction():
            self._run("SET LOCAL session_replication_role = replica")
            for constraint in offence.without.split():
                table, _, of_it = constraint.partition(".")
                self._run(f"ALTER TABLE {table} DROP CONSTRAINT {of_it}")
            self._run(offence.sql.format(**self.kept))
            found.update(find_offenders(self.force, invariant, 100).ids)
            raise Undone
        return found

    def _run(self, sql: str) -> None:
        self.force.one(sql, {})


def forced(cluster: Cluster, world: World) -> str:
    """The superuser's URL of this world's database."""
    assert cluster.template.superuser is not None
    database = re.sub(r"\?.*", "", world.stores.owner_url).rpartition("/")[2]
    return renamed(cluster.template.superuser, database)


@pytest.fixture(scope="module")
def scene(cluster: Cluster) -> Iterator[Scene]:
    with new_stores(cluster) as stores, world_over(stores) as world:
        force = Database(forced(cluster, world)).within(EVERY_TENANT)
        yield Scene(world, one_of_each(world), force)
        force.close()


def broken(world: World) -> dict[str, tuple[str, ...]]:
    found = check_invariants(world.context.within(EVERY_TENANT))
    return {each.name: each.offenders.ids for each in found if not each.holds}


def test_what_was_done_by_the_rules_breaks_none(scene: Scene) -> None:
    states = dict(scene.world.rows("SELECT client_id, status FROM payments"))
    assert states == {
        "paid": "partially_refunded",
        "back": "refunded",
        "disputed": "disputed",
        "reviewed": "needs_review",
        "open": "requires_action",
        "paid-there": "succeeded",
    }
    assert broken(scene.world) == {}


@pytest.mark.parametrize(("name", "offence"), CASES)
def test_an_offender_is_named(scene: Scene, name: str, offence: Offence) -> None:
    offenders = set(offence.by.format(**scene.kept).split())
    assert offenders <= scene.offenders_after(offence, name)


def test_every_rule_was_broken_here() -> None:
    assert set(OFFENCES) == {each.name for each in INVARIANTS}
    assert len(INVARIANTS) == len({each.name for each in INVARIANTS})


class TestCommand:
    def test_a_whole_database(self, scene: Scene) -> None:
        result = run(scene.world.stores, "invariants")
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.splitlines() == [f"holds   {each.name}" for each in INVARIANTS]

    def test_a_broken_one(self, cluster: Cluster, world: World) -> None:
        open_id = create(world, "open")
        with psycopg.connect(forced(cluster, world), autocommit=True) as force:
            force.execute("UPDATE payments SET next_check_at = NULL")
            force.execute(
                """INSERT INTO outbox (id, app_id, type, aggregate_id, sequence, data, created_at)
                   SELECT 'evt_z' || n, %s, 'x', 'pay_x', n, '{}', now()
                   FROM generate_series(1, %s) AS n""",
                (world.app.id, SHOWN + 3),
            )
        result = run(world.stores, "invariants")
        assert (result.returncode, result.stdout) == (1, "")
        wrong = [line for line in result.stderr.splitlines() if not line.startswith("holds")]
        assert len(wrong) == 2
        assert wrong[0].startswith("BROKEN  events_are_counted: An event ")
        assert wrong[0].endswith(" and 3 more")
        assert wrong[1].startswith("BROKEN  open_is_checked: ")
        assert wrong[1].endswith(f"again. Not so: {open_id}")
