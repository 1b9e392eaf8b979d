"""Idempotency keys after their claim. The claim itself is made with its payment: payments.py."""

from datetime import datetime, timedelta

from tollgate.domain.idempotency import LOCK_SECONDS, Claim, Held, StoredAnswer
from tollgate.storage.database import Database


def find_held(database: Database, app_id: str, key: str) -> Held | None:
    """What is known of the key, if somebody claimed it: its row, or, once that was removed, the
    payment or refund that it made."""
    row = database.one(
        """SELECT request_sha256, payment_id, refund_id, locked_until, answer_status, answer_body
           FROM idempotency_keys WHERE app_id = %(app_id)s AND key = %(key)s
           UNION ALL
           SELECT request_sha256, id, NULL, NULL, NULL, NULL
           FROM payments WHERE app_id = %(app_id)s AND idempotency_key = %(key)s
           UNION ALL
           SELECT request_sha256, payment_id, id, NULL, NULL, NULL
           FROM refunds WHERE app_id = %(app_id)s AND idempotency_key = %(key)s
           ORDER BY locked_until NULLS LAST LIMIT 1""",
        {"app_id": app_id, "key": key},
    )
    if row is None:
        return None
    status, body = row.pop("answer_status"), row.pop("answer_body")
    answer = StoredAnswer(status, bytes(body), replayed=True) if status is not None else None
    return Held(**{**row, "request_sha256": bytes(row["request_sha256"] or b"")}, answer=answer)


def take_over(database: Database, claim: Claim, held: Held, now: datetime) -> bool:
    """Makes the caller the holder of a key whose holder died; False when another was quicker."""
    row = database.one(
        """UPDATE idempotency_keys SET locked_until = %(until)s
           WHERE app_id = %(app_id)s AND key = %(key)s
             AND answer_status IS NULL AND locked_until = %(seen)s
           RETURNING key""",
        {
            "app_id": claim.app_id,
            "key": claim.key,
            "seen": held.locked_until,
            "until": now + timedelta(seconds=LOCK_SECONDS),
        },
    )
    return row is not None


def take_over_sending(
    database: Database, payment_id: str, refund_id: str | None, now: datetime
) -> bool:
    """Whether the caller may send this payment, or this refund of it, to the PSP again: the one
    whose key made it is answered or dead, and nobody else took over. Holds it as a claim does."""
    row = database.one(
        """UPDATE idempotency_keys SET locked_until = %(until)s
           WHERE payment_id = %(payment_id)s AND refund_id IS NOT DISTINCT FROM %(refund_id)s
             AND (locked_until <= %(now)s OR locked_until > %(until)s
                  OR answer_status IS NOT NULL)
           RETURNING key""",
        {
            "payment_id": payment_id,
            "refund_id": refund_id,
            "now": now,
            "until": now + timedelta(seconds=LOCK_SECONDS),
        },
    )
    return row is not None


def release_sending(
    database: Database, payment_id: str, refund_id: str | None, now: datetime
) -> None:
    """Lets a caller who retries go on at once: what take_over_sending was for is done."""
    database.one(
        """UPDATE idempotency_keys SET locked_until = %(now)s
           WHERE payment_id = %(payment_id)s AND refund_id IS NOT DISTINCT FROM %(refund_id)s
             AND answer_status IS NULL""",
        {"payment_id": payment_id, "refund_id": refund_id, "now": now},
    )


def delete_old(database: Database, before: datetime, limit: int) -> int:
    """Forgets the answers to creates that nobody asks for any more; how many. What they made keeps
    its key. Those of refunds are few, and stay: whoever sends a refund again holds its key's row.
    """
    rows = database.all(
        # materialized: as a subquery of the DELETE it may be run for each row, past its limit
        """WITH old AS MATERIALIZED (
               SELECT app_id, key FROM idempotency_keys i
               WHERE created_at < %(before)s AND refund_id IS NULL
               ORDER BY created_at LIMIT %(limit)s
               FOR UPDATE SKIP LOCKED
           )
           DELETE FROM idempotency_keys k USING old
           WHERE k.app_id = old.app_id AND k.key = old.key
           RETURNING k.key""",
        {"before": before, "limit": limit},
    )
    return len(rows)


def release(database: Database, claim: Claim, now: datetime) -> None:
    """Lets the next request with this key go on at once, because this one gives up."""
    database.one(
        """UPDATE idempotency_keys SET locked_until = %(now)s
           WHERE app_id = %(app_id)s AND key = %(key)s AND answer_status IS NULL""",
        {"app_id": claim.app_id, "key": claim.key, "now": now},
    )


def store_answer(database: Database, claim: Claim, answer: StoredAnswer) -> StoredAnswer:
    """Keeps the answer unless one is kept already, and returns the one that is kept."""
    row = database.one(
        """UPDATE idempotency_keys
           SET answer_status = coalesce(answer_status, %(status)s),
               answer_body = coalesce(answer_body, %(body)s)
           WHERE app_id = %(app_id)s AND key = %(key)s
           RETURNING answer_status, answer_body""",
        {
            "app_id": claim.app_id,
            "key": claim.key,
            "status": answer.status,
            "body": answer.body,
        },
    )
    assert row is not None
    return StoredAnswer(row["answer_status"], bytes(row["answer_body"]))
