"""What arrives at webhook/receive, before anybody has verified it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Callback:
    """A PSP's call, as it came.

    `headers` have lower-case names; `body` is the raw bytes. `path_token` is what stands in the
    path behind the PSP's name: unguessable where a PSP signs nothing, "" where there is none.
    """

    method: str = "POST"
    path_token: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
