"""What an entry file says of its function: the operations behind it, and how each is called."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from tollgate.domain.permissions import PERMISSIONS, Permission
from tollgate.operations.context import Call, Context

if TYPE_CHECKING:
    from pydantic import BaseModel

    class View(Protocol):
        """A model of answers, made of what an operation returned."""

        @classmethod
        def of(cls, value: Any, /) -> BaseModel: ...


Operation = Callable[[Context, Call[Any]], Any]

MAX_BODY_BYTES = 64 * 1024
"""Far more than any request of the API needs. A webhook may fill the platform's own megabyte."""


@dataclass(frozen=True)
class Route:
    """One operation of a function, by its method and whether a path segment follows the name.

    target     what that segment is, such as "payment_id"; "" for none
    query      the query fields that are understood; None lets any pass
    body       the model of the JSON body; of a form too, where `form` says so; it may be left out
               where it is optional
    returns    the model of the answer; None where the operation returns a dict or a Reply
    documented where the model of such a dict stands, "module:Name": for OpenAPI alone
    idempotent whether the Idempotency-Key header is required
    reads_ahead the kind of the target's value in Redis that authentication reads along
    permission who may call; by default what PERMISSIONS says of the operation's name
    """

    method: str
    operation: Operation
    target: str = ""
    query: tuple[str, ...] | None = ()
    body: "type[BaseModel] | None" = None
    form: bool = False
    body_optional: bool = False
    returns: "type[View] | None" = None
    documented: str = ""
    status: int = 200
    idempotent: bool = False
    max_body_bytes: int = MAX_BODY_BYTES
    reads_ahead: str = ""
    permission: Permission | None = None

    @property
    def name(self) -> str:
        """The operation's name, and its operationId in OpenAPI."""
        return self.operation.__name__

    @property
    def allows(self) -> Permission:
        """Who may call. A KeyError when the table does not know the operation: nobody."""
        return self.permission or PERMISSIONS[self.name]


GET = partial(Route, "GET")
POST = partial(Route, "POST")
PUT = partial(Route, "PUT")
DELETE = partial(Route, "DELETE")
