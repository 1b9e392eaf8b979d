"""What a create must know before it writes anything, in one round trip."""

from dataclasses import dataclass

from tollgate.domain.money import Money
from tollgate.domain.routing import PspRoute
from tollgate.storage.apps import read_routing
from tollgate.storage.database import Database


@dataclass(frozen=True)
class Offer:
    """An app's defaults, and what it sells under a plan's code.

    `product` None: there is no such plan any more; `price` None: not in this currency.
    `is_held`: the Idempotency-Key was used before.
    """

    is_held: bool
    default_psp: str
    default_currency: str
    routing: tuple[PspRoute, ...]
    return_origins: tuple[str, ...]
    product: str | None
    price: Money | None


def read_offer(
    database: Database, app_id: str, key: str, plan: str | None, currency: str | None
) -> Offer:
    """The app's, for this plan in this currency, or in its own where none is named."""
    row = database.one(
        """SELECT a.default_psp, a.default_currency, a.routing, a.return_origins, p.product,
                  price.amount_minor, price.currency,
                  EXISTS (SELECT FROM idempotency_keys k
                          WHERE k.app_id = a.id AND k.key = %(key)s)
                  OR EXISTS (SELECT FROM payments
                             WHERE payments.app_id = a.id AND idempotency_key = %(key)s) AS is_held
           FROM apps a
           LEFT JOIN plans p
             ON p.app_id = a.id AND p.code = %(plan)s AND p.archived_at IS NULL
           LEFT JOIN plan_prices price
             ON price.app_id = a.id AND price.plan = p.code
            AND price.currency = coalesce(%(currency)s, a.default_currency)
           WHERE a.id = %(app_id)s""",
        {"app_id": app_id, "key": key, "plan": plan, "currency": currency},
    )
    assert row is not None  # an authenticated caller's
    price_minor, price_currency = row.pop("amount_minor"), row.pop("currency")
    return Offer(
        **{
            **row,
            "return_origins": tuple(row["return_origins"]),
            "routing": read_routing(row["routing"]),
        },
        price=Money(price_minor, price_currency) if price_minor is not None else None,
    )
