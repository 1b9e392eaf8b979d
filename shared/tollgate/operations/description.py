"""This API, described for programs."""

from functools import cache

from tollgate.operations.context import Call, Context, Reply


def describe_api(_context: Context, _call: Call[None]) -> Reply:
    """The OpenAPI 3.1 document of every function here. It may be kept for five minutes."""
    return Reply(200, _document(), headers={"cache-control": "public, max-age=300"})


@cache
def _document() -> str:
    from pathlib import Path

    # beside the package: in shared/ of a checkout, and in the bundle of ops/openapi
    return (Path(__file__).parents[2] / "openapi.json").read_text()
