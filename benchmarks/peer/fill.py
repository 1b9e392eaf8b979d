"""The peer's tables, made and filled: `python fill.py PAYER OTHERS` prints a token.

PAYER and c1, c2 and so on, OTHERS of them, are customers with a subscription paid for a year.
"""

import os
import sys
import time
from typing import Any

import django
from django.core.management import call_command
from django.db import connection

YEAR_SECONDS = 365 * 86400
BATCH = 5000


def main(payer: str, others: str) -> None:
    """Migrates as dj-stripe ships it, and fills."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    django.setup()
    call_command("migrate", verbosity=0)
    # models can be imported only once Django is set up
    from django.contrib.auth.models import User
    from djstripe.models import Customer, Subscription
    from rest_framework.authtoken.models import Token

    token = Token.objects.create(user=User.objects.create_user("app"))
    ids = [payer, *(f"c{n}" for n in range(1, int(others) + 1))]
    now = int(time.time())
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        Customer.objects.bulk_create(Customer(**_customer(each, now)) for each in batch)
        Subscription.objects.bulk_create(Subscription(**_subscription(each, now)) for each in batch)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(token.key)


def _customer(client_id: str, now: int) -> dict[str, Any]:
    email = f"{client_id}@example.com"
    data = {
        "id": client_id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": now,
        "currency": "kes",
        "default_source": None,
        "delinquent": False,
        "email": email,
        "invoice_settings": {"custom_fields": None, "default_payment_method": None},
        "livemode": False,
        "metadata": {},
        "name": None,
        "preferred_locales": ["en"],
    }
    return {"id": client_id, "email": email, "livemode": False, "stripe_data": data}


def _subscription(client_id: str, now: int) -> dict[str, Any]:
    own_id, ends_at = f"sub_{client_id}", now + YEAR_SECONDS
    data = {
        "id": own_id,
        "object": "subscription",
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_cycle_anchor": now,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": "kes",
        "current_period_end": ends_at,
        "current_period_start": now,
        "customer": client_id,
        "days_until_due": None,
        "default_payment_method": None,
        "discounts": [],
        "ended_at": None,
        "items": {"object": "list", "data": [_item(own_id, now, ends_at)], "has_more": False},
        "latest_invoice": f"in_{client_id}",
        "livemode": False,
        "metadata": {},
        "pause_collection": None,
        "payment_settings": {"payment_method_types": None, "save_default_payment_method": "off"},
        "quantity": 1,
        "schedule": None,
        "start_date": now,
        "status": "active",
        "trial_end": None,
        "trial_start": None,
    }
    return {"id": own_id, "customer_id": client_id, "livemode": False, "stripe_data": data}


def _item(subscription_id: str, starts_at: int, ends_at: int) -> dict[str, Any]:
    return {
        "id": f"si_{subscription_id}",
        "object": "subscription_item",
        "created": starts_at,
        "current_period_end": ends_at,
        "current_period_start": starts_at,
        "metadata": {},
        "price": {
            "id": "price_monthly",
            "object": "price",
            "active": True,
            "billing_scheme": "per_unit",
            "currency": "kes",
            "livemode": False,
            "product": "prod_pro",
            "recurring": {"interval": "year", "interval_count": 1, "usage_type": "licensed"},
            "type": "recurring",
            "unit_amount": 150000,
        },
        "quantity": 1,
        "subscription": subscription_id,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
