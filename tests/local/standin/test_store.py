"""What outlives a stand-in, and the ids it gives."""

from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from local.standin.identifiers import CAPITALS_AND_DIGITS, Identifiers
from local.standin.outbox import Attempt, Delivery, Event
from local.standin.store import Store
from tests.local.standin.coins import State


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "run" / "coins.json"
    first = Store(State, file)
    event = Event("e_1", "paid", 5, "500", [Attempt(6.5, 200, accepted=True)], 6.5, "http://a.test")
    first.state.events["e_1"] = event
    first.state.deliveries.append(Delivery("e_1", 7.5, -1, held=True, failures=2))
    first.state.charges["c_1"] = 500
    first.save()
    second = Store(State, file).state
    assert (second.events, second.charges) == ({"e_1": event}, {"c_1": 500})
    assert vars(second.deliveries[0]) == vars(first.state.deliveries[0])
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_file_of_another_version_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "coins.json"
    file.write_text('{"charges": 5}')
    assert Store(State, file).state.charges == {}
    assert not file.exists()
    assert (tmp_path / "coins.json.old").read_text() == '{"charges": 5}'


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store(State, None)
    store.save()
    assert list(tmp_path.iterdir()) == []


def test_ids_repeat_with_their_source() -> None:
    first, again = (Identifiers(Random(3)) for _ in range(2))
    assert first.new("o_", 17, CAPITALS_AND_DIGITS) == again.new("o_", 17, CAPITALS_AND_DIGITS)
    assert first.guid() == again.guid() != first.guid()
    assert UUID(first.guid()).version == 4
    assert set(first.new("", 99, CAPITALS_AND_DIGITS)) <= set(CAPITALS_AND_DIGITS)
