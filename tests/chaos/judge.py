"""The judgement: the PSP's books against ours, once everything is quiet."""

from collections import Counter
from typing import Any

from tests.chaos.stage import Stage
from tests.chaos.story import Story
from tollgate.domain.payment import OPEN, PAID
from tollgate.domain.principal import EVERY_TENANT
from tollgate.operations.context import Context
from tollgate.operations.invariants import check_invariants
from tollgate.storage.database import Database


def is_quiet(stage: Stage) -> bool:
    """Whether nothing will be looked at again."""
    open_ones = "SELECT id FROM payments WHERE next_check_at IS NOT NULL LIMIT 1"
    return _seeing_all(stage).database.one(open_ones, {}) is None


def judge(stage: Stage, stories: list[Story]) -> None:
    """An AssertionError names what is doubled, lost or not told as it is, with the story."""
    books = stage.psp.ask("take")
    assert books is not None
    assert is_quiet(stage), "something is still to be looked at"
    assert not books["misused"], f"one key for two things: {books['misused']}"
    wrong = [
        line for story in stories for line in _wrong_of(_seeing_all(stage).database, books, story)
    ]
    wrong += [str(found) for found in check_invariants(_seeing_all(stage)) if not found.holds]
    if wrong:
        names = [story for story in stories if any(story.name in line for line in wrong)]
        told = [f"\n{story.name} {story.pay.body}:\n  " + "\n  ".join(story.log) for story in names]
        raise AssertionError("\n".join(wrong + told))


def _seeing_all(stage: Stage) -> Context:
    return stage.context.within(EVERY_TENANT)


def _wrong_of(database: Database, books: dict[str, Any], story: Story) -> list[str]:
    charges = [charge for charge in books["charges"] if charge["story"] == story.name]
    rows = database.all(
        """SELECT id, status, amount_captured_minor AS captured, psp_reference FROM payments
           WHERE idempotency_key = %(key)s""",
        {"key": story.pay.key},
    )
    said = f"{story.name}: at the PSP {charges}, here {rows}"
    if len(charges) > 1:
        return [f"charged more than once. {said}"]
    if not rows:
        return [f"charged, and not known here. {said}"] if charges else []
    (row,) = rows
    payment_id, status = row["id"], row["status"]
    wrong = _wrong_refunds(database, books, payment_id, story)
    if story.payment_id not in (None, payment_id):
        wrong.append(f"the client was told of another payment. {said}")
    if status in OPEN or status == "needs_review":
        wrong.append(f"never settled. {said}")
    if not charges:
        # the timer came too late to begin it: nothing was charged, and nothing is said to be
        return wrong if status == "expired" else [*wrong, f"not known at the PSP. {said}"]
    (charge,) = charges
    is_paid = charge["state"] == "paid"
    if (charge["payment_id"], charge["reference"]) != (payment_id, row["psp_reference"]):
        wrong.append(f"another's charge. {said}")
    if is_paid != (status in PAID) or row["captured"] != (charge["amount"] if is_paid else 0):
        wrong.append(f"not what the PSP says. {said}")
    return wrong


def _wrong_refunds(
    database: Database, books: dict[str, Any], payment_id: str, story: Story
) -> list[str]:
    rows = database.all(
        """SELECT id, amount_minor, psp_reference, status FROM refunds
           WHERE payment_id = %(payment_id)s""",
        {"payment_id": payment_id},
    )
    done = [row for row in rows if row["status"] == "succeeded"]
    ours = Counter((row["id"], row["amount_minor"], row["psp_reference"]) for row in done)
    mine = [r for r in books["refunds"] if r["charge"] in _references(books, story)]
    theirs = Counter((r["refund_id"], r["amount"], r["reference"]) for r in mine)
    doubled = [name for name, times in Counter(r["refund_id"] for r in mine).items() if times > 1]
    wrong = [f"given back more than once: {name}, {story.name}" for name in doubled]
    if ours != theirs or any(row["status"] == "pending" for row in rows):
        wrong.append(f"refunds of {story.name}: at the PSP {theirs}, here {rows}")
    return wrong


def _references(books: dict[str, Any], story: Story) -> set[str]:
    return {c["reference"] for c in books["charges"] if c["story"] == story.name}
