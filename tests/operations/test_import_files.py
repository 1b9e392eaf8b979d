"""A file of subscribers: all of it or nothing, told by line and column, as often as one likes."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.operations.importing import (
    CUSTOMER,
    HEADER,
    PAID_THROUGH,
    Desk,
    count,
    desk_in,
    operator_of,
    sell_weekly,
)
from tests.operations.paying import PLAN, Killed, everything, paid
from tests.operations.test_access import check
from tests.world import World
from tollgate.domain.errors import InvalidFields, Misconfigured, NotFound, TollgateError
from tollgate.operations import imports
from tollgate.operations.imports import Import
from tollgate.storage import imports as stored


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Iterator[Desk]:
    """An operator with a file."""
    with desk_in(world, tmp_path) as opened:
        yield opened


class TestFile:
    @pytest.mark.parametrize(
        ("column", "value", "said"),
        [
            ("client_id", "", "required"),
            ("client_id", "a/b", "pattern"),
            ("client_id", "a" * 129, "pattern"),
            ("client_id", "a\0b", "pattern"),
            ("client_id", "4242424242424242", "card number"),
            ("plan", "", "required"),
            ("plan", "other", "no plan of this app"),
            ("plan", "of-another-app", "no plan of this app"),
            ("paid_through", "tomorrow", "RFC 3339"),
            ("paid_through", "2026-02-20", "RFC 3339"),
            ("paid_through", "2026-02-20T09:00:00", "RFC 3339"),
            ("paid_through", "2026-02-30T09:00:00Z", "RFC 3339"),
            ("paid_through", "9999-12-31T23:59:59Z", "too far away"),
            ("paid_through", "0001-01-01T00:00:00+14:00", "too far away"),
            ("paid_through", "2126-03-01T00:00:00Z", "hundred years"),
            ("paid_through", "0002-01-01T00:00:00Z", "hundred years"),
            ("trial_end", PAID_THROUGH, "before paid_through"),
            ("trial_end", "x", "RFC 3339"),
            ("anchor_at", "2026-01-21T09:00:00Z", "whole periods"),
            ("anchor_at", "2026-03-20T09:00:00Z", "whole periods"),
            ("anchor_at", "0002-02-20T09:00:00Z", "hundred years"),
            ("currency", "kes", "pattern"),
            ("currency", "XXX", "currency"),
            ("currency", "UGX", "no price"),
            ("email", "somebody", "email"),
            ("email", "some\0body@example.com", "email"),
            ("phone", "99", "phone"),
            ("phone", "0712345678x", "phone"),
            ("name", "a\u202eb", "one line"),
            ("name", "\udcff", "UTF-8"),
            ("name", "x" * 256, "one line"),
            ("name", "Card 4242 4242 4242 4242", "card number"),
            ("method", "cash", "Input should be"),
            ("hour", "24", "less than"),
            ("hour", "-1", "hour"),
            ("hour", "9.0", "hour"),
            ("time_zone", "Mars/Olympus", "time zone"),
            ("time_zone", "a\0b", "control"),
            ("language", "de", "Input should be"),
        ],
    )
    def test_with_a_wrong_cell_is_told_where_and_never_what(
        self, desk: Desk, column: str, value: str, said: str
    ) -> None:
        right = {"client_id": "client-2", "plan": "monthly", "paid_through": PAID_THROUGH}
        wrong = right | {column: value}
        lines = (",".join(wrong), ",".join(right.values()), ",".join(wrong.values()))
        padded = (lines[0], lines[1] + "," * (len(wrong) - len(right)), lines[2])
        text = "\n".join(padded).replace("client-2", "client-1", 1)
        desk.file.write_bytes(text.encode("utf-8", "surrogateescape"))
        before = everything(desk.world)
        done = desk.bring_file()
        assert (done.rows, done.wrong) == (2, 1)
        (line,) = desk.said
        assert line.startswith(f"line 3, {column}: ")
        assert said in line
        assert not value or column in ("plan",) or value not in line
        assert everything(desk.world) == before

    def test_with_rows_that_are_none_is_refused(self, desk: Desk) -> None:
        rows = ('"a\nb",monthly,', "", "c", "d,monthly,,", 'e,monthly,"x"y', "f,monthly,")
        done = desk.bring(*rows)
        assert (done.rows, done.wrong) == (4, 4)
        assert [line.partition(":")[0] for line in desk.said] == [
            "line 2, client_id", "line 5", "line 6", "line 7"
        ]  # fmt: skip

    def test_with_a_client_twice_is_refused(self, desk: Desk) -> None:
        sell_weekly(desk.world)
        done = desk.bring("client-1,monthly,", "client-2,monthly,", "client-1,weekly,")
        assert (done.rows, done.wrong) == (3, 1)
        assert desk.said == ["line 4, client_id: is there before, with a plan of the same product"]

    def test_with_no_price_in_the_apps_currency_wants_another(self, desk: Desk) -> None:
        desk.world.rows("DELETE FROM plan_prices WHERE currency = 'KES' RETURNING plan")
        assert desk.bring("client-1,monthly,").wrong == 1
        assert desk.said[0].startswith("line 2, currency: the plan has no price in the app's")
        assert desk.bring("client-1,monthly,,USD", header=f"{HEADER},currency").wrong == 0

    @pytest.mark.parametrize(
        ("header", "path", "said"),
        [
            (f"{HEADER},shoe size", "shoe size", "no such column"),
            (f"{HEADER},0712345678", "column 4", "no such column"),
            (f"{HEADER},plan", "plan", "twice"),
            ("client_id,plan", "--file", "Missing: paid_through"),
            ("somebody@example.com,monthly,x", "--file", "Missing: client_id"),
            ("", "--file", "Missing: client_id"),
            ('"', "--file", "Missing: client_id"),
        ],
    )
    def test_with_another_header_is_refused(
        self, desk: Desk, header: str, path: str, said: str
    ) -> None:
        with pytest.raises(InvalidFields) as refused:
            desk.bring("client-1,monthly,", header=header)
        (error,) = refused.value.errors
        assert error.path == path
        assert said in error.message
        assert "somebody" not in error.message

    def test_that_excel_saved_is_read(self, desk: Desk) -> None:
        desk.file.write_bytes(f"\ufeff{HEADER}\r\nclient-1,monthly,\r\n\r\n".encode())
        assert desk.bring_file().new.total() == 1

    def test_that_is_not_there_is_refused(self, desk: Desk) -> None:
        with pytest.raises(InvalidFields):
            desk.bring_file()

    def test_with_many_errors_tells_some(self, desk: Desk) -> None:
        done = desk.bring(*(f"c-{number},none," for number in range(150)))
        assert (done.wrong, len(desk.said)) == (150, 101)
        assert desk.said[-1] == "Only the first 100 errors are told."

    def test_of_no_app_or_of_the_other_mode_is_refused(self, desk: Desk) -> None:
        desk.bring()
        with pytest.raises(NotFound):
            desk.bring_file(app_id="app_0")
        with (
            operator_of(desk.world, livemode=True) as desk.operator,
            pytest.raises(Misconfigured, match="TOLLGATE_MODE"),
        ):
            desk.bring_file()

    def test_that_changes_between_its_readings_is_refused(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checked = imports._checked

        def changed(*given: Any) -> Import:
            done = checked(*given)
            desk.file.write_text(f"{HEADER}\nclient-1,none,\n")
            return done

        monkeypatch.setattr(imports, "_checked", changed)
        with pytest.raises(TollgateError):
            desk.bring("client-1,monthly,")
        assert count(desk.world, "subscriptions") == 0


class TestAgain:
    def test_writes_nothing_in_a_dry_run(self, desk: Desk) -> None:
        desk.bring("client-1,monthly,")
        before = everything(desk.world)
        done = desk.bring("client-1,monthly,", f"client-2,monthly,{PAID_THROUGH}", dry_run=True)
        assert (done.rows, done.already_there, done.new) == (2, 1, {"active": 1})
        assert everything(desk.world) == before

    def test_leaves_who_is_there_alone(self, desk: Desk) -> None:
        paid(desk.world, PLAN)
        rows = (f"client-1,monthly,{PAID_THROUGH}", f"client-2,monthly,{PAID_THROUGH}")
        assert desk.bring(*rows).already_there == 1
        before = everything(desk.world)
        done = desk.bring(*rows)
        assert (done.rows, done.already_there, done.new.total()) == (2, 2, 0)
        assert everything(desk.world) == before
        assert check(desk.world)["paid_through"] == "2026-02-28T09:00:00Z"

    def test_goes_on_where_it_was_killed(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        insert, calls = stored.insert_newcomers, itertools.count(1)

        def insert_and_die(*given: Any) -> None:
            insert(*given)
            if next(calls) == 3:
                raise Killed

        monkeypatch.setattr(imports, "BATCH", 10)
        monkeypatch.setattr(stored, "insert_newcomers", insert_and_die)
        rows = [f"client-{number},monthly,{PAID_THROUGH}" for number in range(45)]
        with pytest.raises(Killed):
            desk.bring(*rows)
        assert count(desk.world, "subscriptions") == 20  # whole batches
        assert desk.said == ["10 of 45", "20 of 45"]
        done = desk.bring(*rows)
        assert (done.already_there, done.new) == (20, {"active": 25})
        assert count(desk.world, "clients") == count(desk.world, "subscriptions") == 45

    def test_takes_many(self, world: World, tmp_path: Path) -> None:
        tail = f"{PAID_THROUGH},{CUSTOMER}"
        rows = [f"client-{number},monthly,{tail}" for number in range(5_000)]
        with operator_of(world) as context:
            desk = Desk(world, tmp_path / "subscribers.csv", context)
            done = desk.bring(*rows, header=f"{HEADER},email,phone,name")
        assert done.new == {"active": 5_000}
        assert desk.said[2] == "1,500 of 5,000"
