"""`ledger`: our books beside a PSP's."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime

from tollgate.commands.nouns import Failed, Nouns, in_database, tell, verbs_of
from tollgate.domain.ledger import Comparison, Difference
from tollgate.domain.money import Money
from tollgate.operations.context import Context
from tollgate.operations.ledger import compare_books
from tollgate.psp import REGISTRY


def add_to(nouns: Nouns) -> None:
    """Adds `ledger report`."""
    verbs = verbs_of(nouns, "ledger")
    report = verbs.add_parser("report", help="compares the ledger with the PSP's own books")
    report.add_argument("--psp", required=True, choices=sorted(REGISTRY))
    report.add_argument("--from", required=True, type=_day, dest="since", metavar="2026-11-01")
    report.add_argument("--to", required=True, type=_day, dest="until", metavar="2026-12-01")
    report.add_argument("--json", action="store_true", help="for machines, on standard output")
    report.set_defaults(run=in_database(run_report))


def run_report(context: Context, arguments: argparse.Namespace) -> str:
    """The comparison as text or JSON. Raises Failed where the books differ, after printing it."""
    if arguments.since >= arguments.until:
        raise Failed("--from must lie before --to: days in UTC, the last one not included.")
    compared = compare_books(context, arguments.psp, arguments.since, arguments.until, tell)
    text = _as_json(compared) if arguments.json else _as_text(compared)
    if compared.differences:
        print(text)
        raise Failed(f"The books differ on {len(compared.differences)} of these movements.")
    return text


def _as_json(compared: Comparison) -> str:
    matched = [
        {"kind": kind, "currency": currency, "count": count, "amount": amount}
        for (kind, currency), (count, amount) in sorted(compared.matched.items())
    ]
    differences = [asdict(difference) for difference in compared.differences]
    return json.dumps({"matched": matched, "differences": differences})


def _as_text(compared: Comparison) -> str:
    lines = [
        f"{kind:8} {count:>8,} agree, {amount:,} minor units of {currency}"
        for (kind, currency), (count, amount) in sorted(compared.matched.items())
    ]
    lines += [_told(difference) for difference in compared.differences]
    return "\n".join(lines) or "Nothing moved in that time, by either book."


def _told(difference: Difference) -> str:
    here, there = _amount(difference.here), _amount(difference.there)
    whose = f" of {difference.payment_id}" if difference.payment_id else ""
    return f"{difference.kind:8} {difference.reference}{whose}: here {here}, there {there}"


def _amount(money: Money | None) -> str:
    return f"{money.amount_minor:,} {money.currency}" if money else "nothing"


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError("a day is written 2026-11-01") from None
