"""Ids: a prefix that names the kind, then the time, then chance."""

import re
from collections.abc import Callable
from datetime import datetime

CLIENT_ID_PATTERN = r"^[A-Za-z0-9_:@+|~=-][A-Za-z0-9_.:@+|~=-]{0,127}$"
"""What an app may call its client. It stands in paths, decoded or not: no `/`, `%` or first dot."""

PLAN_CODE_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
"""The code of a plan, and of a product."""


def is_id(prefix: str, text: str) -> bool:
    """Whether this can be one of our ids with this prefix, so that the database may be asked."""
    return re.fullmatch(rf"{prefix}_[0-9a-z]{{1,64}}", text) is not None


def is_key_id(text: str) -> bool:
    """Whether this can be the public id of an API key."""
    return re.fullmatch(r"[0-9a-z]{16}", text) is not None


def is_plan_code(text: str) -> bool:
    """Whether this can be the code of a plan or a product."""
    return re.fullmatch(PLAN_CODE_PATTERN, text) is not None


def is_client_id(text: str) -> bool:
    """Whether this can be a client's id."""
    return re.fullmatch(CLIENT_ID_PATTERN, text) is not None


RandomBytes = Callable[[int], bytes]
"""Gives that many random bytes; secrets.token_bytes outside tests."""


def new_id(prefix: str, now: datetime, random_bytes: RandomBytes) -> str:
    """`pay_0199c1…`: 48 bits of milliseconds, so that new rows lie together, and 80 of chance."""
    milliseconds = int(now.timestamp() * 1000)
    return f"{prefix}_{milliseconds:012x}{random_bytes(10).hex()}"
