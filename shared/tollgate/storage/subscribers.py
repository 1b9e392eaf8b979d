"""Who subscribes, sealed in the row of the subscription, and where its day begins."""

from tollgate.storage.database import Database


def find_customer(database: Database, subscription_id: str) -> bytes | None:
    """Who subscribes, sealed; None where the app told nothing."""
    row = database.one(
        "SELECT customer FROM subscriptions WHERE id = %(id)s", {"id": subscription_id}
    )
    return bytes(row["customer"]) if row and row["customer"] is not None else None


def save_customer(database: Database, subscription_id: str, sealed: bytes) -> None:
    """Keeps who subscribes, for the prompts and pages of its bills."""
    database.one(
        "UPDATE subscriptions SET customer = %(sealed)s WHERE id = %(id)s",
        {"id": subscription_id, "sealed": sealed},
    )


def is_time_zone(database: Database, name: str) -> bool:
    """Whether there is such a time zone (IANA): the database counts the hours in it."""
    row = database.one("SELECT 1 FROM pg_timezone_names WHERE name = %(name)s", {"name": name})
    return row is not None
