"""Plans and their prices. Each change is written together with its audit row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString

from tollgate.domain.billing import Interval, Unit
from tollgate.domain.money import Money
from tollgate.domain.page import Page
from tollgate.domain.plan import Plan, PricedPlan, Proration, RefundRule
from tollgate.storage.database import Database, Row

_PRICED: LiteralString = """
    SELECT app_id, code, product, interval_unit, interval_count, trial_days, grace_days,
           refund_rule, renewal_lead_days, dunning_days, proration, archived_at, created_at, (
               SELECT jsonb_agg(jsonb_build_array(amount_minor, currency) ORDER BY currency)
               FROM plan_prices WHERE plan_prices.app_id = plans.app_id AND plan = code
           ) AS prices
    FROM plans"""


def find_plan(database: Database, app_id: str, code: str) -> Plan | None:
    """An app's plan by its code, also when it is archived."""
    row = database.one(
        """SELECT app_id, code, product, interval_unit, interval_count, trial_days, grace_days,
                  refund_rule, renewal_lead_days, dunning_days, proration, archived_at
           FROM plans WHERE app_id = %(app_id)s AND code = %(code)s""",
        {"app_id": app_id, "code": code},
    )
    return _plan(row) if row else None


def find_priced(database: Database, app_id: str, code: str) -> PricedPlan | None:
    """An app's plan with its prices."""
    row = database.one(
        _PRICED + " WHERE app_id = %(app_id)s AND code = %(code)s",
        {"app_id": app_id, "code": code},
    )
    return _priced(row) if row else None


def list_plans(database: Database, app_id: str, page: Page) -> Sequence[PricedPlan]:
    """An app's plans by their codes, the archived ones too."""
    rows = database.all(
        _PRICED + " WHERE app_id = %(app_id)s AND code > %(after)s ORDER BY code LIMIT %(fetch)s",
        {"app_id": app_id, "after": page.after, "fetch": page.fetch},
    )
    return [_priced(row) for row in rows]


def insert_plan(
    database: Database, plan: Plan, prices: Sequence[Money], actor: str, now: datetime
) -> bool:
    """A new plan with its prices; False when the app has one of this code."""
    row = database.one(
        """WITH plan AS (
               INSERT INTO plans (app_id, code, product, interval_unit, interval_count,
                                  trial_days, grace_days, refund_rule, renewal_lead_days,
                                  dunning_days, proration, created_at)
               VALUES (%(app_id)s, %(code)s, %(product)s, %(unit)s, %(count)s,
                       %(trial_days)s, %(grace_days)s, %(refund_rule)s, %(renewal_lead_days)s,
                       %(dunning_days)s, %(proration)s, %(now)s)
               ON CONFLICT DO NOTHING
               RETURNING *
           ), prices AS (
               INSERT INTO plan_prices (app_id, plan, currency, amount_minor)
               SELECT app_id, code, currency, amount_minor
               FROM plan, unnest(%(currencies)s::text[], %(amounts)s::bigint[])
                    AS price (currency, amount_minor)
               RETURNING currency, amount_minor
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, after, at)
           SELECT app_id, %(actor)s, 'plan.created', code,
                  to_jsonb(plan) || jsonb_build_object(
                      'prices', (SELECT jsonb_object_agg(currency, amount_minor) FROM prices)),
                  %(now)s
           FROM plan RETURNING object_id""",
        {
            "app_id": plan.app_id,
            "code": plan.code,
            "product": plan.product,
            "unit": plan.interval.unit,
            "count": plan.interval.count,
            "trial_days": plan.trial_days,
            "grace_days": plan.grace_days,
            "refund_rule": plan.refund_rule,
            "renewal_lead_days": plan.renewal_lead_days,
            "dunning_days": list(plan.dunning_days),
            "proration": plan.proration,
            **_columns_of(prices),
            "actor": actor,
            "now": now,
        },
    )
    return row is not None


def update_plan(
    database: Database,
    app_id: str,
    code: str,
    changes: Mapping[str, object],
    *,
    actor: str,
    now: datetime,
) -> bool:
    """Changes the fields that are given, of a plan that is not archived; whether there is one."""
    row = database.one(
        """WITH before AS (
               SELECT * FROM plans
               WHERE app_id = %(app_id)s AND code = %(code)s AND archived_at IS NULL FOR UPDATE
           ), changed AS (
               UPDATE plans
               SET trial_days = coalesce(%(trial_days)s, plans.trial_days),
                   grace_days = coalesce(%(grace_days)s, plans.grace_days),
                   refund_rule = coalesce(%(refund_rule)s, plans.refund_rule),
                   renewal_lead_days = coalesce(%(renewal_lead_days)s, plans.renewal_lead_days),
                   dunning_days = coalesce(%(dunning_days)s, plans.dunning_days),
                   proration = coalesce(%(proration)s, plans.proration),
                   archived_at = %(archived_at)s
               FROM before WHERE plans.app_id = before.app_id AND plans.code = before.code
               RETURNING plans.*
           ), audit AS (
               INSERT INTO audit_log (app_id, actor, action, object_id, before, after, at)
               SELECT changed.app_id, %(actor)s, %(action)s, changed.code, to_jsonb(before),
                      to_jsonb(changed), %(now)s
               FROM before, changed
               WHERE to_jsonb(before) <> to_jsonb(changed) -- new prices alone have their own row
           )
           SELECT code FROM changed""",
        {
            "trial_days": None,
            "grace_days": None,
            "refund_rule": None,
            "renewal_lead_days": None,
            "dunning_days": None,
            "proration": None,
            "archived_at": None,
            **changes,
            "app_id": app_id,
            "code": code,
            "actor": actor,
            "action": "plan.archived" if "archived_at" in changes else "plan.updated",
            "now": now,
        },
    )
    return row is not None


def replace_prices(
    database: Database,
    app_id: str,
    code: str,
    prices: Sequence[Money],
    *,
    actor: str,
    now: datetime,
) -> None:
    """A plan's prices from now on. Payments that were started keep the price they were started at.

    The caller holds the plan's row, by update_plan in the same transaction.
    """
    database.one(
        """WITH before AS (
               SELECT currency, amount_minor FROM plan_prices
               WHERE app_id = %(app_id)s AND plan = %(code)s
           ), wanted AS (
               SELECT * FROM unnest(%(currencies)s::text[], %(amounts)s::bigint[])
                   AS price (currency, amount_minor)
           ), gone AS (
               DELETE FROM plan_prices
               WHERE app_id = %(app_id)s AND plan = %(code)s
                 AND currency NOT IN (SELECT currency FROM wanted)
           ), kept AS (
               INSERT INTO plan_prices (app_id, plan, currency, amount_minor)
               SELECT %(app_id)s, %(code)s, currency, amount_minor FROM wanted
               ON CONFLICT (app_id, plan, currency) DO UPDATE
               SET amount_minor = excluded.amount_minor
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, before, after, at)
           VALUES (%(app_id)s, %(actor)s, 'plan.repriced', %(code)s,
                   (SELECT jsonb_object_agg(currency, amount_minor) FROM before),
                   (SELECT jsonb_object_agg(currency, amount_minor) FROM wanted), %(now)s)""",
        {"app_id": app_id, "code": code, **_columns_of(prices), "actor": actor, "now": now},
    )


def _columns_of(prices: Sequence[Money]) -> dict[str, list[object]]:
    return {
        "currencies": [price.currency for price in prices],
        "amounts": [price.amount_minor for price in prices],
    }


def _plan(row: Row) -> Plan:
    return Plan(
        app_id=row["app_id"],
        code=row["code"],
        product=row["product"],
        interval=Interval(Unit(row["interval_unit"]), row["interval_count"]),
        trial_days=row["trial_days"],
        grace_days=row["grace_days"],
        refund_rule=RefundRule(row["refund_rule"]),
        archived_at=row["archived_at"],
        renewal_lead_days=row["renewal_lead_days"],
        dunning_days=tuple(row["dunning_days"]),
        proration=Proration(row["proration"]),
    )


def _priced(row: Row) -> PricedPlan:
    prices = tuple(Money(amount, currency) for amount, currency in row["prices"] or ())
    return PricedPlan(_plan(row), prices, row["created_at"])
