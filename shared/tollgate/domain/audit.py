"""The audit log's rows, and the chains of hashes that show whether one was changed or taken out.

Each app has a chain, and so have the rows that are no app's. Link n of it holds the hash of link
n - 1 and the row together, so that the hash of the last link, the head, stands for every row
before it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

OF_NO_APP = "operators"
"""How the chain of the rows that are no app's is written; no app's id looks like that."""

NO_HASH = bytes(32)
"""What stands before the first link."""

_HEAD = re.compile(r"([0-9a-z_]+)=([1-9][0-9]{0,17}):([0-9a-f]{64})")


@dataclass(frozen=True)
class AuditRow:
    """Who did what to which object, with what changed before and after. `at` is in UTC."""

    at: datetime
    actor: str
    action: str
    object_id: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True)
class Head:
    """The last link of a chain, or where a look along it has come to.

    `chain` is the app's id, or '' of the rows without one. At position 0 nothing is linked yet.
    """

    chain: str
    position: int = 0
    hash: bytes = NO_HASH

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Reads what `str` gives: app_1=12:<64 hex digits>. Raises ValueError."""
        match = _HEAD.fullmatch(text)
        if match is None:
            raise ValueError("a head is CHAIN=POSITION:HASH")
        chain, position, digest = match.groups()
        return cls("" if chain == OF_NO_APP else chain, int(position), bytes.fromhex(digest))

    def __str__(self) -> str:
        return f"{name_of(self.chain)}={self.position}:{self.hash.hex()}"


class Wrong(StrEnum):
    """What is wrong at a place of a chain."""

    CHANGED = "the audit row or its hash was changed"
    ROW_MISSING = "the audit row is missing"
    LINK_MISSING = "the link is missing"
    NOT_LINKED = "the audit row has no link"
    NOT_AS_NOTED = "the head that was noted is not in the chain"


@dataclass(frozen=True)
class BrokenLink:
    """The first place of a chain that is not as it was written.

    `position` is None for a row that has no link, `audit_id` where the link is missing.
    """

    chain: str
    position: int | None
    audit_id: int | None
    wrong: Wrong

    def __str__(self) -> str:
        place = [] if self.position is None else [f"position {self.position}"]
        row = [] if self.audit_id is None else [f"audit row {self.audit_id}"]
        return f"{name_of(self.chain)}: {', '.join(place + row)}: {self.wrong}"


def name_of(chain: str) -> str:
    """The chain as an operator reads and writes it."""
    return chain or OF_NO_APP
