"""Whether this deployment can do its work."""

from tollgate.domain.errors import DatabaseUnavailable
from tollgate.operations.context import Call, Context, Reply


def check_health(context: Context, _call: Call[None]) -> Reply:
    """200 while payments can be taken; 503 without PostgreSQL. Redis is speed only."""
    try:
        context.database.one("SELECT 1 AS one", {})
        database = "ok"
    except DatabaseUnavailable:
        database = "unavailable"
    redis = "ok" if context.cache.is_up() else "unavailable"
    status = "unavailable" if database != "ok" else "ok" if redis == "ok" else "degraded"
    mode = "live" if context.settings.livemode else "test"
    value = {"status": status, "mode": mode, "database": database, "redis": redis}
    return Reply(200 if database == "ok" else 503, value)
