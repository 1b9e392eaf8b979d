"""Whether this deployment can do its work."""

from tollgate.operations.context import Call, Context, Reply


def check_health(context: Context, _call: Call[None]) -> Reply:
    """200 while payments can be taken; 503 without PostgreSQL. Redis is speed only."""
    database, redis = context.database.is_up(), context.cache.is_up()
    value = {
        "status": ("ok" if redis else "degraded") if database else "unavailable",
        "mode": "live" if context.settings.livemode else "test",
        "database": _word(database),
        "redis": _word(redis),
    }
    return Reply(200 if database else 503, value)


def _word(is_up: bool) -> str:
    return "ok" if is_up else "unavailable"
