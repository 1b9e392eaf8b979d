"""An API key: what an operator sends to make one, and what it reads back. Whole only once."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from tollgate.domain.app import CALLS_PER_MINUTE
from tollgate.domain.page import Listing
from tollgate.domain.permissions import Scope
from tollgate.domain.principal import ApiKey, NewKey, Role
from tollgate.schemas.fields import AnswerModel, CallsPerMinute, Instant, RequestModel, SentInstant

KeyName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=16)]


class CreateKey(RequestModel):
    """A key to make: of an app, or of an operator (role admin, without `app_id`).

    `name` says what it is for: two keys of a name can live at a time. `scopes` narrows it;
    without, it may do everything that its role may.
    """

    role: Role = Role.APP
    app_id: str | None = None
    name: KeyName = "default"
    scopes: Scopes | None = None
    calls_per_minute: CallsPerMinute = CALLS_PER_MINUTE
    expires_at: SentInstant | None = None

    @model_validator(mode="after")
    def _is_somebodys(self) -> Self:
        if self.role is Role.CLIENT:
            raise ValueError("a client has no key: an app asks auth/token for its token")
        if (self.role is Role.APP) != (self.app_id is not None):
            raise ValueError("send app_id for a key of an app, and only for one")
        return self


class RotateKey(RequestModel):
    """How long the old key goes on beside the new one, and when the new one ends."""

    overlap_seconds: Annotated[int, Field(ge=0, le=90 * 86_400)] = 86_400
    expires_at: SentInstant | None = None


class UpdateKey(RequestModel):
    """The fields to change; the others stay."""

    scopes: Scopes | None = None
    calls_per_minute: CallsPerMinute | None = None
    expires_at: SentInstant | None = None


class KeyView(AnswerModel):
    """A key as operators see it: all but its secret. `id` is its second part.

    `scopes` null: everything that its role may. `last_used_at` is exact to a minute.
    """

    id: str
    object: Literal["api_key"] = "api_key"
    role: Role
    app_id: str | None
    name: str
    livemode: bool
    scopes: list[str] | None
    calls_per_minute: int
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    last_used_at: Instant | None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """The view of a key."""
        return cls(**_fields(key))


class NewKeyView(KeyView):
    """A key that was just made, with `key`: the whole of it, this one time."""

    key: str

    @classmethod
    def of(cls, new: NewKey) -> Self:  # type: ignore[override]  # a new key is more than a key
        """The view of a new key."""
        return cls(**_fields(new.key), key=new.text)


class KeyList(AnswerModel):
    """A page of keys."""

    object: Literal["list"] = "list"
    data: list[KeyView]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Listing[ApiKey]) -> Self:
        """The view of a page."""
        return cls(data=[KeyView.of(key) for key in found.items], next_cursor=found.next_cursor)


def _fields(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "role": key.role,
        "app_id": key.app_id or None,
        "name": key.name,
        "livemode": key.livemode,
        "scopes": list(key.scopes) if key.scopes is not None else None,
        "calls_per_minute": key.calls_per_minute,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }
