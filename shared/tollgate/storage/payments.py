"""Payments: the row, and what is written in the same statement with each change of it."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from tollgate.domain.errors import ConstraintViolated, NotFound
from tollgate.domain.events import EventType
from tollgate.domain.idempotency import LOCK_SECONDS, Claim, StoredAnswer
from tollgate.domain.ids import is_id
from tollgate.domain.money import Money
from tollgate.domain.order import SealedCustomer
from tollgate.domain.page import Page
from tollgate.domain.payment import (
    Capture,
    Failure,
    Payment,
    PaymentPage,
    PaymentStatus,
    RetryAdvice,
)
from tollgate.storage.database import Database, Row

COLUMNS: LiteralString = """
    id, app_id, client_id, amount_minor, amount_captured_minor, amount_refunded_minor, currency,
    status, psp, psp_reference, livemode, method, capture, page, save_method, saved_method_id,
    capture_amount_minor, cancel_asked_at, fee_minor, fee_currency, plan, product, subscription_id,
    bill_id, description, metadata, return_url, cancel_url, next_action, failure, review, version,
    created_at, updated_at, expires_at"""


@dataclass(frozen=True)
class Saved:
    """What save_payment did: moved the payment, and kept the answer."""

    moved: bool
    answered: bool


_INSERT_CLAIMED: LiteralString = """
    WITH claim AS (
        INSERT INTO idempotency_keys
            (app_id, key, request_sha256, payment_id, locked_until, created_at)
        VALUES (%(app_id)s, %(key)s, %(request_sha256)s, %(id)s, %(locked_until)s, %(now)s)
        ON CONFLICT DO NOTHING
        RETURNING payment_id
    ), payment AS (
        INSERT INTO payments
            (id, app_id, client_id, idempotency_key, request_sha256, amount_minor, currency,
             status, psp, livemode, method, capture, page, save_method, saved_method_id, plan,
             product, bill_id, description, metadata, return_url, cancel_url, customer,
             customer_email_index, created_at, updated_at, expires_at, next_check_at)
        SELECT payment_id, %(app_id)s, %(client_id)s, %(key)s, %(request_sha256)s,
               %(amount_minor)s, %(currency)s, 'pending', %(psp)s, %(livemode)s, %(method)s,
               %(capture)s, %(page)s, %(save_method)s, %(saved_method_id)s, %(plan)s,
               %(product)s, %(bill_id)s, %(description)s, %(metadata)s::jsonb,
               %(return_url)s, %(cancel_url)s, %(customer)s, %(customer_email_index)s,
               %(now)s, %(now)s, %(expires_at)s, %(locked_until)s
        FROM claim
        RETURNING id, app_id
    )
    INSERT INTO audit_log (app_id, actor, action, object_id, after, at)
    SELECT app_id, %(actor)s, 'payment.created', id, '{"status": "pending"}', %(now)s
    FROM payment
    RETURNING object_id"""


def insert_claimed(
    database: Database,
    payment: Payment,
    customer: SealedCustomer | None,
    claim: Claim,
    *,
    actor: str,
    now: datetime,
) -> bool:
    """The payment, the claim of its key and its audit row, in one statement and one commit.

    False when the key was claimed before, also when its row was removed since; then nothing was
    written. Should its holder die, reconcile looks at the payment when the claim ends.
    """
    try:
        row = database.one(_INSERT_CLAIMED, _columns_of(payment, customer, claim, actor, now))
    except ConstraintViolated as error:
        if error.constraint == "one_payment_per_idempotency_key":
            return False  # its payment is there, and the key's own row was removed long ago
        raise
    return row is not None


def _columns_of(
    payment: Payment,
    customer: SealedCustomer | None,
    claim: Claim,
    actor: str,
    now: datetime,
) -> dict[str, object]:
    return {
        "id": payment.id,
        "app_id": payment.app_id,
        "client_id": payment.client_id,
        "key": claim.key,
        "request_sha256": claim.request_sha256,
        "locked_until": now + timedelta(seconds=LOCK_SECONDS),
        "amount_minor": payment.money.amount_minor,
        "currency": payment.money.currency,
        "psp": payment.psp,
        "livemode": payment.livemode,
        "method": payment.method,
        "capture": payment.capture,
        "page": payment.page,
        "save_method": payment.save_method,
        "saved_method_id": payment.saved_method_id,
        "plan": payment.plan,
        "product": payment.product,
        "bill_id": payment.bill_id,
        "description": payment.description,
        "metadata": json.dumps(dict(payment.metadata)),
        "return_url": payment.return_url,
        "cancel_url": payment.cancel_url,
        "customer": customer.value if customer else None,
        "customer_email_index": customer.email_index if customer else None,
        "expires_at": payment.expires_at,
        "actor": actor,
        "now": now,
    }


def find_payment(database: Database, payment_id: str) -> Payment | None:
    """The tenant's payment with this id."""
    if not is_id("pay", payment_id):
        return None
    row = database.one(
        "SELECT" + COLUMNS + " FROM payments WHERE id = %(payment_id)s",
        {"payment_id": payment_id},
    )
    return payment_of(row) if row else None


def get_payment(database: Database, payment_id: str) -> Payment:
    """The tenant's payment with this id. Raises NotFound."""
    payment = find_payment(database, payment_id)
    if payment is None:
        raise NotFound
    return payment


@dataclass(frozen=True)
class PaymentFilter:
    """Which payments a list shows; None: all of them."""

    app_id: str | None = None
    """Named though the wall shows an app no other rows: the wall is no use to an index."""
    client_id: str | None = None
    status: PaymentStatus | None = None
    psp: str | None = None
    created_after: datetime | None = None


def list_payments(database: Database, wanted: PaymentFilter, page: Page) -> list[Payment]:
    """The tenant's payments, newest first: an id begins with its time."""
    rows = database.all(
        "SELECT"
        + COLUMNS
        + """ FROM payments
           WHERE (%(after)s = '' OR id < %(after)s)
             AND (%(app_id)s::text IS NULL OR app_id = %(app_id)s)
             AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s)
             AND (%(status)s::text IS NULL OR status = %(status)s)
             AND (%(psp)s::text IS NULL OR psp = %(psp)s)
             AND (%(created_after)s::timestamptz IS NULL OR created_at > %(created_after)s)
           ORDER BY id DESC LIMIT %(limit)s""",
        {
            "after": page.after,
            "app_id": wanted.app_id,
            "client_id": wanted.client_id,
            "status": wanted.status,
            "psp": wanted.psp,
            "created_after": wanted.created_after,
            "limit": page.fetch,
        },
    )
    return [payment_of(row) for row in rows]


def lock_payment(database: Database, payment_id: str) -> Payment:
    """The payment, and nobody else changes it until the transaction ends."""
    row = database.one(
        "SELECT" + COLUMNS + " FROM payments WHERE id = %(payment_id)s FOR UPDATE",
        {"payment_id": payment_id},
    )
    assert row is not None
    return payment_of(row)


def claim_question(database: Database, payment_id: str, now: datetime, pause_seconds: int) -> bool:
    """Whether the caller may ask the PSP about this payment: one asker per pause, of all.

    Nobody waits for it: while somebody changes the payment, there is no need to ask. A time in the
    future was written by a wrong clock, and bars nobody.
    """
    row = database.one(
        """UPDATE payments SET asked_at = %(now)s
           WHERE id = (SELECT id FROM payments
                       WHERE id = %(payment_id)s
                         AND (asked_at IS NULL OR asked_at <= %(before)s OR asked_at > %(now)s)
                       FOR UPDATE SKIP LOCKED)
           RETURNING id""",
        {
            "payment_id": payment_id,
            "now": now,
            "before": now - timedelta(seconds=pause_seconds),
        },
    )
    return row is not None


def save_payment(
    database: Database,
    before: Payment,
    after: Payment,
    *,
    event_id: str,
    event_type: EventType | None,
    event_data: str,
    actor: str,
    next_check_at: datetime | None,
    action: str | None = None,
    note: str | None = None,
    claim: Claim | None = None,
    answer: StoredAnswer | None = None,
) -> Saved:
    """Moves a payment if nobody moved it since it was read, and writes in the same statement:
    its event (JSON text `event_data`), its audit row, and the answer under the caller's key.

    `action` names what happened where it is not the arrival in a state, `note` is an operator's
    reason. Nothing is written when the row has another version by now; no answer when one is kept.
    """
    row = database.one(
        """WITH saved AS (
               UPDATE payments
               SET status = %(status)s, amount_captured_minor = %(amount_captured_minor)s,
                   amount_refunded_minor = %(amount_refunded_minor)s, fee_minor = %(fee_minor)s,
                   fee_currency = %(fee_currency)s, psp_reference = %(psp_reference)s,
                   method = %(method)s, capture_amount_minor = %(capture_amount_minor)s,
                   cancel_asked_at = %(cancel_asked_at)s, subscription_id = %(subscription_id)s,
                   next_action = %(next_action)s::jsonb, failure = %(failure)s::jsonb,
                   review = %(review)s::jsonb, updated_at = %(updated_at)s,
                   expires_at = %(expires_at)s, next_check_at = %(next_check_at)s, checks = 0,
                   version = version + 1
               WHERE id = %(id)s AND version = %(version)s
               RETURNING id, app_id, version
           ), event AS (
               INSERT INTO outbox (id, app_id, type, aggregate_id, sequence, data, created_at)
               SELECT %(event_id)s, app_id, %(event_type)s, id, version - 1,
                      %(event_data)s::jsonb, %(updated_at)s
               FROM saved WHERE %(event_type)s::text IS NOT NULL
           ), audit AS (
               INSERT INTO audit_log (app_id, actor, action, object_id, before, after, at)
               SELECT app_id, %(actor)s, %(action)s, id, %(audit_before)s::jsonb,
                      %(audit_after)s::jsonb, %(updated_at)s
               FROM saved
           ), answer AS (
               UPDATE idempotency_keys
               SET answer_status = %(answer_status)s, answer_body = %(answer_body)s
               FROM saved
               WHERE idempotency_keys.app_id = saved.app_id AND key = %(key)s
                 AND answer_status IS NULL
               RETURNING key
           )
           SELECT EXISTS (SELECT FROM answer) AS answered FROM saved""",
        {
            "id": before.id,
            "version": before.version,
            "status": after.status,
            "amount_captured_minor": after.amount_captured_minor,
            "amount_refunded_minor": after.amount_refunded_minor,
            "fee_minor": after.fee.amount_minor if after.fee else None,
            "fee_currency": after.fee.currency if after.fee else None,
            "capture_amount_minor": after.capture_amount_minor,
            "cancel_asked_at": after.cancel_asked_at,
            "review": json.dumps(after.review) if after.review else None,
            "next_check_at": next_check_at,
            "action": action or _action(before, after),
            "audit_before": json.dumps(_audited(before)),
            "audit_after": json.dumps(_audited(after) | ({"note": note} if note else {})),
            "psp_reference": after.psp_reference,
            "method": after.method,
            "subscription_id": after.subscription_id,
            "next_action": json.dumps(after.next_action) if after.next_action else None,
            "failure": json.dumps(asdict(after.failure)) if after.failure else None,
            "updated_at": after.updated_at,
            "expires_at": after.expires_at,
            "event_id": event_id,
            "event_type": event_type,
            "event_data": event_data,
            "actor": actor,
            "key": claim.key if claim else None,
            "answer_status": answer.status if answer else None,
            "answer_body": answer.body if answer else None,
        },
    )
    return Saved(moved=row is not None, answered=row is not None and row["answered"])


def _action(before: Payment, after: Payment) -> str:
    """What happened, where nobody has a better word for it."""
    state = (after.status, after.amount_refunded_minor)
    same = state == (before.status, before.amount_refunded_minor)
    return "payment.updated" if same else f"payment.{after.status}"


def _audited(payment: Payment) -> dict[str, object]:
    """What the audit log keeps of a payment's state: no personal data."""
    told: dict[str, object] = {"status": payment.status}
    amounts = {
        "amount_captured": payment.amount_captured_minor,
        "amount_refunded": payment.amount_refunded_minor,
        "capture_amount": payment.capture_amount_minor,
    }
    told.update({name: value for name, value in amounts.items() if value})
    if payment.failure is not None:
        told["failure"] = payment.failure.code
    if payment.review is not None:
        told["said"] = dict(payment.review)
    return told


def payment_of(row: Row) -> Payment:
    """The payment that these columns make."""
    money = Money(row.pop("amount_minor"), row.pop("currency"))
    fee_minor, fee_currency = row.pop("fee_minor"), row.pop("fee_currency")
    failure = row.pop("failure")
    return Payment(
        **{
            **row,
            "status": PaymentStatus(row["status"]),
            "capture": Capture(row["capture"]),
            "page": PaymentPage(row["page"]),
        },
        money=money,
        fee=Money(fee_minor, fee_currency) if fee_minor is not None else None,
        failure=_failure(failure) if failure else None,
    )


def _failure(told: Row) -> Failure:
    advice = told.get("advice")  # unknown to rows from before
    return Failure(told["code"], told["message"], RetryAdvice(advice) if advice else None)
