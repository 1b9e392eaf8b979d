"""The paid-check's own `main` as a container of the platform has it: the other end of a Caller.

PYTHONPATH=. python benchmarks/check_container.py <API key> <client's id>
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

from benchmarks.turns import answer

ENTRY = Path(__file__).parent.parent / "packages" / "subscriptions" / "check" / "__main__.py"


def main(key: str, client_id: str) -> None:
    """Answers as often as it is asked to; the event is what the platform's gateway passes."""
    spec = importlib.util.spec_from_file_location("entry", ENTRY)
    assert spec is not None and spec.loader is not None
    entry = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(entry)
    event = {
        "http": {
            "method": "GET",
            "path": f"/{client_id}",
            "queryString": "",
            "headers": _headers(key),
            "body": "",
            "isBase64Encoded": False,
        }
    }

    def call() -> str:
        told: dict[str, Any] = entry.main(event)
        assert told["statusCode"] == 200, told["body"]
        body: str = told["body"]
        return body

    answer(call)


def _headers(key: str) -> dict[str, str]:
    return {
        "accept": "application/json",
        "accept-encoding": "gzip",
        "authorization": f"Bearer {key}",
        "host": "functions.example",
        "user-agent": "tollgate-client",
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-proto": "https",
        "x-request-id": "5b6f0d0c2a4f4d5e9c1c3b7a8d9e0f11",
    }


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
