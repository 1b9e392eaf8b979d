"""How often unsigned callbacks were about nothing of ours: whoever guesses is slowed down."""

from tollgate.domain.rate import WINDOW_SECONDS
from tollgate.storage.cache import Cache

MAX_PER_WINDOW = 60

_COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count
"""
_READ = "return tonumber(redis.call('GET', KEYS[1]) or '0')"


def count(cache: Cache, psp: str) -> None:
    """One more."""
    cache.run(_COUNT, _name(psp), WINDOW_SECONDS)


def are_too_many(cache: Cache, psp: str) -> bool:
    """Whether no more are looked up for a while. False without Redis."""
    counted = cache.run(_READ, _name(psp))
    return isinstance(counted, int) and counted >= MAX_PER_WINDOW


def _name(psp: str) -> str:
    return f"strays:{psp}"
