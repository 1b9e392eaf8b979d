"""What both sides are asked: about whom, and with which headers. The standard library alone."""

from collections.abc import Iterator
from itertools import cycle, repeat

HEADERS = {
    "accept": "application/json",
    "accept-encoding": "gzip",
    "host": "functions.example",
    "user-agent": "tollgate-client",
    "x-forwarded-for": "192.0.2.1",
    "x-forwarded-proto": "https",
    "x-request-id": "5b6f0d0c2a4f4d5e9c1c3b7a8d9e0f11",
}


def clients(asked: str) -> Iterator[str]:
    """Ids without an end: of one client again and again, or of the next one each time.

    `asked` is a client's id, or how many there are: c1, c2 and so on.
    """
    return cycle(f"c{n}" for n in range(1, int(asked) + 1)) if asked.isdecimal() else repeat(asked)
