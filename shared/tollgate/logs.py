"""One JSON line a happening, on standard output, where the platform's log forwarding takes it.

Only what is named here by hand is logged: identifiers, codes, durations. Never a body, a header,
a setting or the text of a foreign error, which may hold values of a row.
"""

import json
import sys
import time
import traceback

Field = str | int | float | bool | None


def log(event: str, **fields: Field) -> None:
    """Writes one line: `at` (Unix seconds), `event` and the fields."""
    line = {"at": round(time.time(), 3), "event": event, **fields}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def log_exception(event: str, error: BaseException, **fields: Field) -> None:
    """Writes the type of an error and where it was raised, without its message or any value."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames[-6:]))
    log(event, error=type(error).__name__, where=where, **fields)
