"""Links to the pay page."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from tollgate.crypto.pay_links import sign_link
from tollgate.domain.bill import Bill
from tollgate.operations.context import Context
from tollgate.settings import needed
from tollgate.storage import bills

_OUTLIVES_BILL = timedelta(days=1)
"""Longer than a payment can be paid: who went to a PSP's page in a bill's last minutes comes back
for the receipt."""


def pay_url(context: Context, bill: Bill) -> str:
    """Where the client can pay this bill until it closes, and see what became of it."""
    keyring = needed(context.settings.pay_link_keys, "PAY_LINK_KEYS")
    link = sign_link(keyring, bill.id, bill.closes_at + _OUTLIVES_BILL)
    return f"{context.settings.public_url}/payments/pay/{link}"


def find_pay_url(context: Context, subscription_id: str) -> str | None:
    """Where what is due for this subscription can be paid; None when nothing is."""
    bill = bills.find_open(context.database, subscription_id)
    return pay_url(context, bill) if bill and context.now() < bill.closes_at else None


def find_pay_urls(context: Context, subscription_ids: Sequence[str]) -> Mapping[str, str]:
    """The same for several, by their ids."""
    found = bills.list_open(context.database, subscription_ids)
    now = context.now()
    return {of: pay_url(context, bill) for of, bill in found.items() if now < bill.closes_at}
