"""`python -m tollgate subscription import`: what an operator types and reads."""

import base64
import sys
from pathlib import Path

import pytest

from tests.operations.paying import everything
from tests.test_operator_command import audited, refused, run
from tests.world import World
from tollgate.commands import main

HEADER = "client_id,plan,paid_through,email\n"
RIGHT = "client-1,monthly,2099-01-01T00:00:00Z,\nclient-2,monthly,,\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of two subscribers."""
    path = tmp_path / "subscribers.csv"
    path.write_text(HEADER + RIGHT)
    return path


def words(world: World, file: Path) -> tuple[str, ...]:
    return ("subscription", "import", "--app", world.app.id, "--file", str(file))


def test_imports_what_a_dry_run_said_it_would_and_only_once(world: World, file: Path) -> None:
    before = everything(world)
    for more, said in (
        (
            ("--dry-run",),
            "2 rows: 2 would be imported (1 active, 1 incomplete), 0 already there. "
            "Nothing was written.",
        ),
        ((), "2 rows: 2 imported (1 active, 1 incomplete), 0 already there."),
        ((), "2 rows: 0 imported, 2 already there."),
    ):
        result = run(world.stores, *words(world, file), *more)
        assert (result.returncode, result.stdout) == (0, f"{said}\n")
        assert result.stderr == "2 of 2\n"
        if more:
            assert everything(world) == before
    assert [actor for _, actor, _ in audited(world, "subscription.imported")] == [
        "operator:amina"
    ] * 2


def test_tells_wrong_rows_without_what_they_hold(world: World, file: Path) -> None:
    file.write_text(f"{HEADER}client-1,none,,nobody\nclient 2,monthly,,somebody@example.com\n")
    before = everything(world)
    told = refused(run(world.stores, *words(world, file)), 1).splitlines()
    assert [line.partition(":")[0] for line in told[:2]] == [
        "line 2, email",
        "line 3, client_id",
    ]
    assert told[2:] == ["Of 2 rows 2 are wrong. Nothing was written."]
    assert not any(text in repr(told) for text in ("nobody", "somebody", "client 2"))
    assert everything(world) == before


def test_refuses_what_it_can_not_work_with(world: World, file: Path) -> None:
    missing = file.with_name("missing.csv")
    assert "--file" in refused(run(world.stores, *words(world, missing)), 1)
    assert "--app" in refused(
        run(world.stores, "subscription", "import", "--app", "x", "--file", str(file)), 1
    )
    assert "TOLLGATE_MODE" in refused(run(world.stores, *words(world, file), mode="live"), 1)
    file.write_text("client_id,plan,paid_through,height\n")
    assert "height: There is no such column" in refused(run(world.stores, *words(world, file)), 1)
    file.write_text(f"{HEADER}client-1,monthly,,somebody@example.com\n")
    assert "FIELD_KEYS" in refused(run(world.stores, *words(world, file)), 1)
    assert world.rows("SELECT id FROM subscriptions") == []


def test_seals_who_subscribes(
    world: World, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(f"{HEADER}client-1,monthly,,somebody@example.com\n")
    for name, value in (
        ("DATABASE_URL", world.stores.owner_url),
        ("TOLLGATE_MODE", "test"),
        ("FIELD_KEYS", "f1:" + base64.urlsafe_b64encode(b"f" * 32).decode()),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["tollgate", *words(world, file)])
    assert main() == 0
    assert "somebody" not in repr(capsys.readouterr())
    ((stored,),) = world.rows("SELECT s::text FROM subscriptions s")
    assert "somebody" not in stored
    assert world.rows("SELECT customer IS NOT NULL FROM subscriptions") == [(True,)]
