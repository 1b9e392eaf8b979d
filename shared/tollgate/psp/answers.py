"""What a PSP's answers are made of, read so that garbage raises instead of being believed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tollgate.domain.errors import PspUnavailable

NOT_AS_DOCUMENTED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading an answer raises that is not what the PSP documents: garbage on the way."""


@contextmanager
def as_documented(psp: str) -> Iterator[None]:
    """Turns what reading garbage raises into PspUnavailable, which repeats none of it."""
    try:
        yield
    except NOT_AS_DOCUMENTED:
        raise PspUnavailable(f"{psp} can't be read just now.") from None


def text(value: object, max_length: int = 255) -> str:
    """A short printable text, as all ids are. Raises ValueError."""
    if isinstance(value, str) and 0 < len(value) <= max_length and value.isprintable():
        return value
    raise ValueError


def optional_text(value: object) -> str | None:
    """A short printable text, or None for null. Raises ValueError."""
    return text(value) if value is not None else None


def mapping(value: object) -> Mapping[str, Any]:
    """A JSON object. Raises TypeError."""
    if isinstance(value, Mapping):
        return value
    raise TypeError
