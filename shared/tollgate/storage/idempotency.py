"""Idempotency keys after their claim. The claim itself is made with its payment: payments.py."""

from datetime import datetime, timedelta

from tollgate.domain.idempotency import LOCK_SECONDS, Claim, Held, StoredAnswer
from tollgate.storage.database import Database


def find_held(database: Database, app_id: str, key: str) -> Held | None:
    """The key's row, if somebody claimed it."""
    row = database.one(
        """SELECT request_sha256, payment_id, locked_until, answer_status, answer_body
           FROM idempotency_keys WHERE app_id = %(app_id)s AND key = %(key)s""",
        {"app_id": app_id, "key": key},
    )
    if row is None:
        return None
    status, body = row.pop("answer_status"), row.pop("answer_body")
    answer = StoredAnswer(status, bytes(body), replayed=True) if status is not None else None
    return Held(**{**row, "request_sha256": bytes(row["request_sha256"])}, answer=answer)


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
