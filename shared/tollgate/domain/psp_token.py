"""The token by which a PSP knows us for a while."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Token:
    """`value` goes into the Authorization header, for `lives_seconds` from when it was fetched."""

    value: str = field(repr=False)
    lives_seconds: float
