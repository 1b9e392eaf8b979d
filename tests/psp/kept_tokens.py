"""The Tokens of an adapter under test."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tollgate.domain.psp_token import Token


@dataclass
class KeptTokens:
    """Tokens in memory, each fetched when it is first asked for and when it was refused."""

    kept: dict[str, Token] = field(default_factory=dict)
    fetched: int = 0

    def get(self, name: str, fetch: Callable[[], Token], refused: str | None = None) -> str:
        if name not in self.kept or self.kept[name].value == refused:
            self.kept[name] = fetch()
            self.fetched += 1
        return self.kept[name].value
