"""Who pays: personal data, sealed as soon as it is here, opened for operators alone."""

import json
from dataclasses import asdict
from typing import Any

from tollgate.crypto.fields import FieldCipher, IndexedColumn, Place
from tollgate.domain.order import Customer, SealedCustomer
from tollgate.domain.payment import Payment
from tollgate.domain.subscription import Subscription
from tollgate.operations.context import Context
from tollgate.settings import needed
from tollgate.storage import customers, subscribers

TABLE, COLUMN = "payments", "customer"


def field_cipher(context: Context) -> FieldCipher:
    """Seals and opens fields. Raises Misconfigured where this function has no FIELD_KEYS."""
    return FieldCipher(needed(context.settings.field_keys, "FIELD_KEYS"), context.random_bytes)


def seal_customer(context: Context, payment: Payment, customer: Customer) -> SealedCustomer | None:
    """What is stored of who pays; None where the app told nothing."""
    told = {name: value for name, value in asdict(customer).items() if value is not None}
    if not told:
        return None
    return seal_told(field_cipher(context), payment.id, payment.app_id, told)


def seal_told(
    cipher: FieldCipher, payment_id: str, app_id: str, told: dict[str, Any]
) -> SealedCustomer:
    """The same, of the fields that were told."""
    email = told.get("email")
    return SealedCustomer(
        value=cipher.encrypt(_place(payment_id, app_id), json.dumps(told).encode()),
        email_index=cipher.blind_index(_indexed(app_id), email) if email else None,
    )


def open_told(cipher: FieldCipher, payment_id: str, app_id: str, sealed: bytes) -> dict[str, Any]:
    """The fields that were told. Raises DecryptionFailed."""
    told: dict[str, Any] = json.loads(cipher.decrypt(_place(payment_id, app_id), sealed))
    return told


def open_customer(context: Context, payment: Payment) -> Customer:
    """Who pays, as the app told it when the payment was made. Raises DecryptionFailed."""
    sealed = customers.find_customer(context.database, payment.id)
    if sealed is None:
        return Customer()
    return Customer(**open_told(field_cipher(context), payment.id, payment.app_id, sealed))


def seal_subscriber(context: Context, subscription: Subscription, told: dict[str, Any]) -> bytes:
    """What is stored of who subscribes."""
    place = _place_of_subscriber(subscription.dates.subscription_id, subscription.app_id)
    kept = {name: value for name, value in told.items() if value is not None}
    return field_cipher(context).encrypt(place, json.dumps(kept).encode())


def open_subscriber(context: Context, subscription_id: str, app_id: str) -> Customer:
    """Who subscribes, as the app told it. Raises DecryptionFailed."""
    sealed = subscribers.find_customer(context.database, subscription_id)
    if sealed is None:
        return Customer()
    place = _place_of_subscriber(subscription_id, app_id)
    return Customer(**json.loads(field_cipher(context).decrypt(place, sealed)))


def _place_of_subscriber(subscription_id: str, app_id: str) -> Place:
    return Place("subscriptions", COLUMN, subscription_id, app_id)


def find_customers(context: Context, app_id: str, email: str) -> dict[str, dict[str, Any]]:
    """What an app's payments hold of the person with this email, by payment: the answer to
    "what do you know of me?". Raises DecryptionFailed."""
    cipher = field_cipher(context)
    indexes = cipher.blind_indexes(_indexed(app_id), email)
    return {
        found.payment_id: open_told(cipher, found.payment_id, found.app_id, found.sealed)
        for found in customers.list_by_email(context.database, app_id, indexes)
    }


def _place(payment_id: str, app_id: str) -> Place:
    return Place(TABLE, COLUMN, payment_id, app_id)


def _indexed(app_id: str) -> IndexedColumn:
    return IndexedColumn(TABLE, COLUMN, app_id)
