"""Plans: what an app sells, set up by an operator, each change audited.

A plan is named by its app (?app_id) and its code.
"""

from typing import TYPE_CHECKING

from tollgate.domain.billing import Interval
from tollgate.domain.errors import AlreadyExists, FieldError, InvalidFields, NotFound
from tollgate.domain.ids import is_id, is_plan_code
from tollgate.domain.money import Money
from tollgate.domain.page import Listing, listing, read_page
from tollgate.domain.plan import Plan, PricedPlan
from tollgate.operations.context import Call, Context
from tollgate.storage import apps, plans

if TYPE_CHECKING:
    from tollgate.schemas.plans import CreatePlan, UpdatePlan


def list_plans(context: Context, call: Call[None]) -> Listing[PricedPlan]:
    """The plans of an app, the archived ones too."""
    page = read_page(call.query)
    rows = plans.list_plans(context.database, _app_id(call), page)
    return listing(page, rows, lambda priced: priced.plan.code)


def get_plan(context: Context, call: Call[None]) -> PricedPlan:
    """One plan of an app. Raises NotFound."""
    return _get(context, *_named(call))


def create_plan(context: Context, call: "Call[CreatePlan]") -> PricedPlan:
    """A new plan. Raises AlreadyExists; InvalidFields where there is no such app."""
    content, now = call.content, context.now()
    app = apps.find_app(context.database, content.app_id) if is_id("app", content.app_id) else None
    if app is None or app.deleted_at is not None:
        raise InvalidFields(errors=(FieldError("app_id", "There is no such app."),))
    plan = Plan(
        app_id=app.id,
        code=content.code,
        product=content.product,
        interval=Interval(content.interval.unit, content.interval.count),
        trial_days=content.trial_days,
        grace_days=content.grace_days,
        refund_rule=content.refund_rule,
        renewal_lead_days=content.renewal_lead_days,
        dunning_days=tuple(content.dunning_days),
        proration=content.proration,
    )
    prices = tuple(Money(price.amount, price.currency) for price in content.prices)
    if not plans.insert_plan(context.database, plan, prices, call.caller.actor, now):
        raise AlreadyExists
    return PricedPlan(plan, prices, now)


def update_plan(context: Context, call: "Call[UpdatePlan]") -> PricedPlan:
    """Changes the fields that were sent; `prices` takes the place of all prices. What the plan
    sells is fixed: make another plan. Raises NotFound, also for an archived plan."""
    (app_id, code), content = _named(call), call.content
    changes = content.model_dump(exclude_none=True, exclude={"prices"})
    actor, now = call.caller.actor, context.now()
    with context.database.transaction():
        if not plans.update_plan(context.database, app_id, code, changes, actor=actor, now=now):
            raise NotFound
        if content.prices is not None:
            prices = [Money(price.amount, price.currency) for price in content.prices]
            plans.replace_prices(context.database, app_id, code, prices, actor=actor, now=now)
        return _get(context, app_id, code)


def archive_plan(context: Context, call: Call[None]) -> PricedPlan:
    """Takes a plan off sale: nobody can choose it or pay for it any more. Raises NotFound."""
    (app_id, code), actor, now = _named(call), call.caller.actor, context.now()
    changes = {"archived_at": now}
    if not plans.update_plan(context.database, app_id, code, changes, actor=actor, now=now):
        raise NotFound
    return _get(context, app_id, code)


def _get(context: Context, app_id: str, code: str) -> PricedPlan:
    plan = plans.find_priced(context.database, app_id, code)
    if plan is None:
        raise NotFound
    return plan


def _named(call: "Call[UpdatePlan] | Call[None]") -> tuple[str, str]:
    """The app and the code that name the plan."""
    app_id = _app_id(call)
    if not is_plan_code(call.target):
        raise NotFound
    return app_id, call.target


def _app_id(call: "Call[UpdatePlan] | Call[None]") -> str:
    app_id = call.query.get("app_id", "")
    if not is_id("app", app_id):
        raise InvalidFields(errors=(FieldError("app_id", "Name the app: ?app_id=app_…"),))
    return app_id
