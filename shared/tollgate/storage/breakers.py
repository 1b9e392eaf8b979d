"""Which PSPs are down just now: a circuit breaker that all containers share through Redis.

Without Redis no PSP counts as down: a payment then waits for the PSP itself to fail.
"""

from tollgate.storage.cache import Cache

FAILURES = 5
"""So many in a row, none older than WINDOW_SECONDS after the one before, open the breaker."""
WINDOW_SECONDS = 60
OPEN_SECONDS = 30
"""Then payments try the PSP again; the next failure opens it for as long once more."""

_IS_OPEN = "return redis.call('EXISTS', KEYS[1] .. ':open')"
_FAIL = """
local failures = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
if failures >= tonumber(ARGV[1]) then redis.call('SET', KEYS[1] .. ':open', 1, 'EX', ARGV[3]) end
return failures
"""
_CLOSE = "return redis.call('DEL', KEYS[1], KEYS[1] .. ':open')"


def is_down(cache: Cache, psp: str) -> bool:
    """Whether new payments should go elsewhere."""
    return cache.run(_IS_OPEN, _name(psp)) == 1


def record_failure(cache: Cache, psp: str) -> None:
    """The PSP could not be reached, or did not answer."""
    cache.run(_FAIL, _name(psp), FAILURES, WINDOW_SECONDS, OPEN_SECONDS)


def record_success(cache: Cache, psp: str) -> None:
    """The PSP answered."""
    cache.run(_CLOSE, _name(psp))


def _name(psp: str) -> str:
    return f"breaker:{psp}"
