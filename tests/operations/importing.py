"""An operator who brings an app's subscribers in, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.operations.paying import another_container
from tests.world import World
from tollgate.domain.principal import EVERY_TENANT
from tollgate.operations import invariants
from tollgate.operations.context import Context
from tollgate.operations.imports import Import, import_subscribers

HEADER = "client_id,plan,paid_through"
PAID_THROUGH = "2026-02-20T09:00:00Z"
CUSTOMER = "somebody@example.com,0712 345 678,Some Body"


@dataclass
class Desk:
    """An operator with a file."""

    world: World
    file: Path
    operator: Context
    said: list[str] = field(default_factory=list)

    def bring(self, *rows: str, header: str = HEADER, dry_run: bool = False) -> Import:
        """What an import of these rows reports."""
        self.file.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
        return self.bring_file(dry_run=dry_run)

    def bring_file(self, *, dry_run: bool = False, app_id: str | None = None) -> Import:
        """The same, of the file as it is."""
        self.said.clear()
        return import_subscribers(
            self.operator,
            app_id or self.world.app.id,
            self.file,
            actor="operator:amina",
            progress=self.said.append,
            dry_run=dry_run,
        )


@contextmanager
def desk_in(world: World, folder: Path) -> Iterator[Desk]:
    """An operator, whom the owner of the tables lets in; every rule holds when they are done."""
    with operator_of(world) as context:
        yield Desk(world, folder / "subscribers.csv", context)
        broken = [str(found) for found in invariants.check_invariants(context) if not found.holds]
        assert broken == []


@contextmanager
def operator_of(world: World, **changed: object) -> Iterator[Context]:
    """What the operator's command works with, closed after use."""
    with another_container(world, database_url=world.stores.owner_url, **changed) as context:
        yield context.within(EVERY_TENANT)


def count(world: World, table: str) -> int:
    """How many rows a table has."""
    ((number,),) = world.rows(f"SELECT count(*) FROM {table}")
    return int(number)


def sell_weekly(world: World) -> None:
    """Another plan of the seeded app's product."""
    body = {
        "app_id": world.app.id,
        "code": "weekly",
        "product": world.product,
        "interval": {"unit": "week", "count": 1},
        "prices": [{"amount": 50_000, "currency": "KES"}],
    }
    assert world.call("admin/plans", body=body, key=world.seed.admin_key).status == 201
