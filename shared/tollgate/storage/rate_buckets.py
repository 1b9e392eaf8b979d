"""The buckets of domain/rate.py in PostgreSQL: for calls that move money while Redis is gone."""

from collections.abc import Mapping

from tollgate.domain.rate import WINDOW_SECONDS, Allowance
from tollgate.storage.database import Database


def take(database: Database, limits: Mapping[str, int]) -> Allowance:
    """Counts one call in each bucket, by its name and its calls a minute; what the tightest says.

    On the database's own clock: no container's wrong one counts.
    """
    row = database.one(
        """WITH clock AS MATERIALIZED (
               SELECT clock_timestamp() AS now, clock_timestamp() + span AS latest, span
               FROM make_interval(secs => %(window)s) AS span
           ), asked AS (
               SELECT name, calls, span / calls AS each
               FROM clock, unnest(%(names)s::text[], %(calls)s::float[]) AS limits (name, calls)
               ORDER BY name -- two calls lock the same buckets in the same order
           ), full_ones AS ( -- a refused call takes nothing of the others
               SELECT name FROM clock, asked JOIN rate_buckets USING (name)
               WHERE least(greatest(full_at, now), latest) + each > latest
           ), taken AS (
               INSERT INTO rate_buckets AS bucket (name, full_at)
               SELECT name, now + each FROM clock, asked
               WHERE NOT EXISTS (SELECT FROM full_ones)
               ON CONFLICT (name) DO UPDATE
               SET full_at = greatest(bucket.full_at, (SELECT now FROM clock))
                             + (SELECT each FROM asked WHERE asked.name = bucket.name)
               WHERE greatest(bucket.full_at, (SELECT now FROM clock))
                     + (SELECT each FROM asked WHERE asked.name = bucket.name)
                     <= (SELECT latest FROM clock)
               RETURNING name, full_at
           ), set_back AS ( -- it lies too far ahead, because the clock was set back
               UPDATE rate_buckets SET full_at = latest FROM clock
               WHERE name IN (SELECT name FROM full_ones) AND full_at > latest
           )
           SELECT calls::int AS limit, full_at IS NOT NULL AS allowed,
                  extract(epoch FROM full_at - now)::float AS reset_seconds
           FROM clock, asked LEFT JOIN taken USING (name)
           -- a full one first, of these the slowest; else the one with the fewest calls left
           ORDER BY name IN (SELECT name FROM full_ones) DESC, full_at IS NOT NULL,
                    (%(window)s - extract(epoch FROM full_at - now)) * calls, calls
           LIMIT 1""",
        {
            "names": list(limits),
            "calls": list(limits.values()),
            "window": WINDOW_SECONDS,
        },
    )
    assert row is not None
    limit: int = row["limit"]
    if not row["allowed"]:
        wait_seconds = -(-WINDOW_SECONDS // limit)
        return Allowance(False, limit, 0, WINDOW_SECONDS, wait_seconds)
    reset_seconds: float = max(row["reset_seconds"], 0)
    remaining = int((WINDOW_SECONDS - reset_seconds) * limit / WINDOW_SECONDS)
    return Allowance(True, limit, remaining, -int(-reset_seconds // 1))
