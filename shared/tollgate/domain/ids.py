"""Ids: a prefix that names the kind, then the time, then chance."""

import re
from collections.abc import Callable
from datetime import datetime

CLIENT_ID_PATTERN = r"^[A-Za-z0-9_.:@+|~=-]{1,128}$"
"""What an app may call its client. No `/` and no `%`: it stands in paths, decoded or not."""


def is_client_id(text: str) -> bool:
    """Whether this can be a client's id."""
    return re.fullmatch(CLIENT_ID_PATTERN, text) is not None


RandomBytes = Callable[[int], bytes]
"""Gives that many random bytes; secrets.token_bytes outside tests."""


def new_id(prefix: str, now: datetime, random_bytes: RandomBytes) -> str:
    """`pay_0199c1…`: 48 bits of milliseconds, so that new rows lie together, and 80 of chance."""
    milliseconds = int(now.timestamp() * 1000)
    return f"{prefix}_{milliseconds:012x}{random_bytes(10).hex()}"
