"""An app's subscribers from before it came here: brought in from a file, all or none of its rows.

The file is read twice: nothing is written before every row was found right. It may be stopped at
any point and run again: who has a live subscription to the product is left alone.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from tollgate.domain.errors import FieldError, InvalidFields, Misconfigured, NotFound
from tollgate.domain.page import MAX_LIMIT, Page
from tollgate.domain.plan import PricedPlan
from tollgate.domain.principal import Tenant
from tollgate.domain.subscription import Dates, RenewalWishes, Standing, Subscription
from tollgate.operations.context import Context
from tollgate.operations.customers import field_cipher, seal_subscriber
from tollgate.operations.subscriber_rows import Known, Row, Wrong, read_rows
from tollgate.storage import apps, imports, plans
from tollgate.storage.imports import Newcomer

BATCH = 500
MAX_TOLD = 100
"""How many wrong cells are told: a file with the wrong separator has one in each row."""

Progress = Callable[[str], None]


@dataclass
class Import:
    """What became of the rows: wrong, left alone because their client was there, or new by the
    status that they have; in a dry run, what would become of them."""

    rows: int = 0
    wrong: int = 0
    already_there: int = 0
    new: Counter[str] = field(default_factory=Counter)


def import_subscribers(
    context: Context, app_id: str, path: Path, *, actor: str, progress: Progress, dry_run: bool
) -> Import:
    """Imports a file of rows like schemas.imports.SubscriberRow; nothing where one is wrong, which
    `progress` hears of. Raises InvalidFields, NotFound, Misconfigured."""
    context = context.within(Tenant(app_id))
    known = _known(context, app_id)
    done = _checked(context, path, known, progress)
    if done.wrong:
        return done
    seen = 0
    for batch in _batches(_right(path, known)):
        if dry_run:
            _count(context, app_id, batch, done)
        else:
            _write(context, app_id, batch, actor, done)
        seen += len(batch)
        progress(f"{seen:,} of {done.rows:,}")
    return done


def _known(context: Context, app_id: str) -> Known:
    app = apps.find_app(context.database, app_id)
    if app is None or app.deleted_at is not None:
        raise NotFound
    if imports.find_mode(context.database) is not context.settings.livemode:
        raise Misconfigured("TOLLGATE_MODE is not this database's: that of its first key.")
    priced = {each.plan.code: each for each in _plans(context, app_id)}
    time_zones = imports.list_time_zones(context.database)
    return Known(app, priced, time_zones, context.now())


def _plans(context: Context, app_id: str) -> Iterator[PricedPlan]:
    """The app's plans, the archived ones too: who has one goes on with it."""
    after = ""
    while found := plans.list_plans(context.database, app_id, Page(MAX_LIMIT, after)):
        yield from found
        after = found[-1].plan.code


def _checked(context: Context, path: Path, known: Known, progress: Progress) -> Import:
    """The first reading: counts the rows, and tells what is wrong with them."""
    done, told = Import(), 0
    met = set[bytes]()
    can_seal = False
    for row in read_rows(path, known):
        done.rows += 1
        wrong = row if isinstance(row, list) else _met_before(row, met)
        done.wrong += bool(wrong)
        for each in wrong[: MAX_TOLD - told]:
            progress(str(each))
        told = min(told + len(wrong), MAX_TOLD)
        if isinstance(row, Row) and row.told.customer and not can_seal:
            field_cipher(context)  # raises where there is no key for it, before anything is written
            can_seal = True
    if done.wrong and told == MAX_TOLD:
        progress(f"Only the first {MAX_TOLD} errors are told.")
    return done


def _met_before(row: Row, met: set[bytes]) -> list[Wrong]:
    """That the client has a row for the same product already. Hashes, for their size."""
    digest = hashlib.blake2b("\n".join(row.key).encode(), digest_size=16).digest()
    if digest in met:
        return [Wrong(row.line, "client_id", "is there before, with a plan of the same product")]
    met.add(digest)
    return []


def _right(path: Path, known: Known) -> Iterator[Row]:
    """The second reading. Raises InvalidFields where the file is not what it was any more."""
    for row in read_rows(path, known):
        if isinstance(row, list):
            message = "It was changed meanwhile. Once it is whole, run this again."
            raise InvalidFields(errors=(FieldError("--file", message),))
        yield row


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _missing(context: Context, app_id: str, rows: Sequence[Row]) -> list[Row]:
    """The rows whose client has no live subscription to the product."""
    live = imports.list_live(context.database, app_id, [row.told.client_id for row in rows])
    return [row for row in rows if row.key not in live]


def _count(context: Context, app_id: str, batch: Sequence[Row], done: Import) -> None:
    missing = _missing(context, app_id, batch)
    now = context.now()
    made = [_subscription(context, app_id, row, now) for row in missing]
    _add(done, len(batch), made, now)


def _write(context: Context, app_id: str, batch: Sequence[Row], actor: str, done: Import) -> None:
    """One transaction; none where everybody is there."""
    database, made, now = context.database, list[Subscription](), context.now()
    missing = _missing(context, app_id, batch)
    if missing:
        with database.transaction():
            client_ids = [row.told.client_id for row in missing]
            imports.lock_clients(database, app_id, client_ids, now)
            now = context.now()  # the locks may have taken a while
            newcomers = [
                _newcomer(context, app_id, row, now) for row in _missing(context, app_id, missing)
            ]
            imports.insert_newcomers(database, newcomers, actor, now)
        made = [newcomer.subscription for newcomer in newcomers]
    _add(done, len(batch), made, now)


def _add(done: Import, rows: int, made: Sequence[Subscription], now: datetime) -> None:
    done.already_there += rows - len(made)
    done.new.update(Standing(subscription, now).status for subscription in made)


def _newcomer(context: Context, app_id: str, row: Row, now: datetime) -> Newcomer:
    subscription, customer = _subscription(context, app_id, row, now), row.told.customer
    sealed = seal_subscriber(context, subscription, customer) if customer else None
    return Newcomer(subscription, sealed)


def _subscription(context: Context, app_id: str, row: Row, now: datetime) -> Subscription:
    told, plan = row.told, row.priced.plan
    paid_through = told.paid_through
    grace = timedelta(days=plan.grace_days)
    dates = Dates(
        subscription_id=context.new_id("sub"),
        product=plan.product,
        plan=plan.code,
        trial_end=told.trial_end,
        paid_through=paid_through,
        grace_until=paid_through + grace if paid_through is not None else None,
    )
    wishes = told.model_dump(include={"method", "hour", "time_zone", "language"}, exclude_none=True)
    return Subscription(
        app_id=app_id,
        client_id=told.client_id,
        dates=dates,
        livemode=context.settings.livemode,
        created_at=now,
        updated_at=now,
        anchor_at=told.anchor_at or paid_through,
        periods_since_anchor=row.periods,
        currency=told.currency,
        renewal=RenewalWishes(**wishes),
    )
