"""A file of subscribers, read line by line: what each row says, or what is wrong with it.

What is wrong is told by line and column, and never with what stands there: it may be personal data.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from tollgate.domain.app import App
from tollgate.domain.billing import Interval, Unit, after
from tollgate.domain.card_numbers import has_card_number
from tollgate.domain.errors import FieldError, InvalidFields
from tollgate.domain.plan import PricedPlan
from tollgate.schemas.imports import SubscriberRow

COLUMNS = tuple(SubscriberRow.model_fields)
NEEDED = ("client_id", "plan", "paid_through")
REACH = timedelta(days=36_525)
"""How far from now an instant may be: a hundred years, so that periods can be added to it."""

_COLUMN_NAME = re.compile(r"[A-Za-z][A-Za-z_ -]{0,39}", re.ASCII)
_NOT_UTF8 = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a row; `column` is None where it is not one of them."""

    line: int
    column: str | None
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.column is None else f"line {self.line}, {self.column}"
        return f"{where}: {self.message}"


@dataclass(frozen=True)
class Row:
    """A row that can be imported. `periods` lead from its anchor to the end of its paid time."""

    line: int
    told: SubscriberRow
    priced: PricedPlan
    periods: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """The client and the product: one live subscription."""
        return self.told.client_id, self.priced.plan.product


@dataclass(frozen=True)
class Known:
    """What rows are held against: the app, its plans by their codes, time zones, the clock."""

    app: App
    plans: Mapping[str, PricedPlan]
    time_zones: frozenset[str]
    now: datetime


def read_rows(path: Path, known: Known) -> Iterator[Row | list[Wrong]]:
    """Each row of the file, or all that is wrong with it. Raises InvalidFields for a file or a
    header that can't be read."""
    try:
        # what is no UTF-8 is found in its cell
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = _header(reader)
            while True:
                line = reader.line_num + 1  # a quoted cell may go on over several lines
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    yield [Wrong(line, None, "This can't be read as CSV, nor what follows it.")]
                    return
                if cells:
                    yield _row(line, header, cells, known)
    except OSError as error:
        message = f"This can't be read: {error.strerror}."
        raise InvalidFields(errors=(FieldError("--file", message),)) from None


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        names = next(reader, [])
    except csv.Error:
        names = []
    missing = [name for name in NEEDED if name not in names]
    if missing:  # without them it may be no header, but somebody's data
        message = f"The first row has to name the columns. Missing: {', '.join(missing)}."
        raise InvalidFields(errors=(FieldError("--file", message),))
    errors = [
        FieldError(
            name if _COLUMN_NAME.fullmatch(name) else f"column {number}",
            f"There is no such column. There are {', '.join(COLUMNS)}.",
        )
        for number, name in enumerate(names, 1)
        if name not in COLUMNS
    ]
    errors += [
        FieldError(name, "This column is there twice.") for name in COLUMNS if names.count(name) > 1
    ]
    if errors:
        raise InvalidFields(errors=tuple(errors))
    return names


def _row(line: int, header: list[str], cells: list[str], known: Known) -> Row | list[Wrong]:
    if len(cells) != len(header):
        message = f"There are {len(cells)} cells, where the header names {len(header)}."
        return [Wrong(line, None, message)]
    texts = {name: text for name, text in zip(header, cells, strict=True) if text}
    hostile = [
        Wrong(line, name, message) for name, text in texts.items() for message in _hostile(text)
    ]
    if hostile:
        return hostile
    try:
        told = SubscriberRow.model_validate(texts)
    except ValidationError as error:
        return [
            Wrong(line, str(item["loc"][0]), item["msg"].removeprefix("Value error, "))
            for item in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    priced = known.plans.get(told.plan)
    if priced is None:
        return [Wrong(line, "plan", "is no plan of this app")]
    periods = _periods(told, priced.plan.interval)
    wrong = [
        Wrong(line, column, message) for column, message in _misfits(told, priced, periods, known)
    ]
    return wrong or Row(line, told, priced, periods or 0)


def _hostile(text: str) -> Iterator[str]:
    if _NOT_UTF8.search(text):
        yield "is not UTF-8"
    if has_card_number(text):
        yield "holds a card number, which is never stored"


def _misfits(
    told: SubscriberRow, priced: PricedPlan, periods: int | None, known: Known
) -> Iterator[tuple[str, str]]:
    """What is wrong with values that are right each by itself: the column, and why."""
    for column in ("paid_through", "trial_end", "anchor_at"):
        instant = getattr(told, column)
        if instant is not None and abs(instant - known.now) > REACH:
            yield column, "is more than a hundred years away"
    if told.paid_through and told.trial_end and told.trial_end >= told.paid_through:
        yield "trial_end", "must be before paid_through, or empty"
    if periods is None:
        yield "anchor_at", "must be whole periods of the plan before paid_through, or empty"
    billed_in = told.currency or known.app.default_currency
    if billed_in not in {price.currency for price in priced.prices}:
        whose = "it" if told.currency else "the app's currency, so tell another"
        yield "currency", f"the plan has no price in {whose}"
    if told.time_zone is not None and told.time_zone not in known.time_zones:
        yield "time_zone", "is no time zone such as Africa/Nairobi (IANA)"


def _periods(told: SubscriberRow, interval: Interval) -> int | None:
    """How many periods lead from the anchor to the end of paid time; None where none do."""
    anchor, end = told.anchor_at, told.paid_through
    if anchor is None:
        return 0
    if end is None or end < anchor:
        return None
    if interval.unit in (Unit.DAY, Unit.WEEK):
        steps = (end - anchor).days // (7 if interval.unit is Unit.WEEK else 1)
    else:
        months = (end.year - anchor.year) * 12 + end.month - anchor.month
        steps = months // (12 if interval.unit is Unit.YEAR else 1)
    count = steps // interval.count
    return count if after(anchor, interval, count) == end else None
