"""Tollgate's check as a container: `python ours.py BUNDLE KEY ASKED` is the other end of a Caller.

BUNDLE is an unpacked function; ASKED is told in asked.py.
"""

import importlib.util
import sys
from typing import Any

from asked import HEADERS, clients

from benchmarks.turns import answer


def main(bundle: str, key: str, asked: str) -> None:
    """Loads the function as the platform does, and passes it the event of the gateway."""
    sys.path.insert(0, bundle)
    spec = importlib.util.spec_from_file_location("main__", f"{bundle}/__main__.py")
    assert spec is not None and spec.loader is not None
    entry = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(entry)
    headers, ids = {**HEADERS, "authorization": f"Bearer {key}"}, clients(asked)

    def call() -> str:
        request = {
            "method": "GET",
            "path": f"/{next(ids)}",
            "queryString": "",
            "headers": headers,
            "body": "",
            "isBase64Encoded": False,
        }
        told: dict[str, Any] = entry.main({"http": request})
        assert told["statusCode"] == 200, told["body"]
        body: str = told["body"]
        return body

    answer(call)


if __name__ == "__main__":
    main(*sys.argv[1:])
