"""What an operation works with, passed in: settings, clock, chance, database, cache, PSPs.

One Context lives as long as its container; nothing in it connects before it is asked to.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from tollgate.domain.idempotency import Claim, StoredAnswer
from tollgate.domain.ids import RandomBytes, new_id
from tollgate.domain.permissions import scopes_of
from tollgate.domain.principal import Principal, Role, Tenant
from tollgate.domain.rate import Allowance
from tollgate.settings import Settings
from tollgate.storage.cache import Cache
from tollgate.storage.database import Database
from tollgate.storage.psp_tokens import SharedTokens

if TYPE_CHECKING:
    from tollgate.psp.protocol import Psp

Body = TypeVar("Body")


def real_time() -> datetime:
    """The instant by this machine's clock, in UTC."""
    return datetime.fromtimestamp(time.time(), UTC)


def _open_psp(name: str, settings: Settings, tokens: SharedTokens) -> "Psp":
    # imported on demand: the check has no PSP unless a charge is in flight
    from tollgate.psp import open_psp

    return open_psp(name, settings, tokens)


@dataclass(frozen=True)
class Context:
    """The means of an operation. What it reads and writes is one tenant's, or nobody's."""

    settings: Settings
    database: Database
    cache: Cache
    now: Callable[[], datetime] = real_time
    random_bytes: RandomBytes = secrets.token_bytes
    open_psp: "Callable[[str, Settings, SharedTokens], Psp]" = _open_psp
    _psps: "dict[str, Psp]" = field(default_factory=dict)

    @classmethod
    def open(cls, settings: Settings, **means: Any) -> "Context":
        """The means that these settings name; `means` are other ones, of a test."""
        database = Database(settings.database_url)
        return cls(settings, database, Cache(settings.redis_url, settings.cache_secret), **means)

    def within(self, tenant: Tenant) -> "Context":
        """The same means, with the rows of this tenant and no others."""
        return replace(self, database=self.database.within(tenant))

    def psp(self, name: str) -> "Psp":
        """The PSP's adapter, with its connections kept between calls. Raises UnsupportedPsp."""
        if name not in self._psps:
            secret = self.settings.cache_secret
            tokens = SharedTokens(self.cache, secret, self.now, self.random_bytes)
            self._psps[name] = self.open_psp(name, self.settings, tokens)
        return self._psps[name]

    def new_id(self, prefix: str) -> str:
        """A fresh id, such as `pay_…`."""
        return new_id(prefix, self.now(), self.random_bytes)


@cache
def container_context() -> Context:
    """The one Context of this process. Raises Misconfigured."""
    return Context.open(Settings.from_environment())


@dataclass(frozen=True)
class Reply:
    """An answer that is not just a value with the function's usual status.

    `value` is shaped like any other; a str is sent as it is, as `content_type`. `principal` and
    `allowance` are those of a caller whom the operation itself let in.
    """

    status: int
    value: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    principal: Principal | None = None
    allowance: Allowance | None = None


@dataclass(frozen=True)
class Call(Generic[Body]):
    """One call of a function, decoded, authenticated and validated by http/endpoint.py.

    `method` is that of HTTP, `target` what stands in the path behind the function's name. `render`
    gives the answer's bytes, for what must be stored as it will be sent. `ahead` is what
    authentication read along from Redis.
    """

    principal: Principal | None = None
    method: str = "POST"
    target: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    raw_body: bytes = b""
    body: Body | None = None
    claim: Claim | None = None
    render: Callable[[object], bytes] | None = None
    ahead: dict[str, Any] | None = None

    @classmethod
    def by_operator(cls, name: str, **fields: Any) -> Self:
        """A call of somebody at the command line, who needs no key."""
        operator = Principal(Role.ADMIN, "", "", scopes=scopes_of(Role.ADMIN), operator=name)
        return cls(principal=operator, **fields)

    @property
    def caller(self) -> Principal:
        """The authenticated caller of a function that has roles."""
        assert self.principal is not None
        return self.principal

    @property
    def content(self) -> Body:
        """The validated body of a function that takes one."""
        assert self.body is not None
        return self.body

    @property
    def key_claim(self) -> Claim:
        """The claim on the Idempotency-Key of a function that requires one."""
        assert self.claim is not None
        return self.claim

    def answer(self, status: int, value: object) -> StoredAnswer:
        """The answer that tells `value`, as it will be sent and stored."""
        assert self.render is not None
        return StoredAnswer(status, self.render(value))
