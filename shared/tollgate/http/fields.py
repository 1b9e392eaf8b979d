"""Fields of a request: read, and refused by name when they are wrong. Never by value."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from tollgate.domain.errors import FieldError, InvalidFields, MalformedBody

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = TypeVar("Model", bound=BaseModel)

_MAX_ERRORS = 20


def refuse_unknown_query(query: Mapping[str, str], known: tuple[str, ...]) -> None:
    """Raises InvalidFields for a query field that is not understood: a typo must not pass."""
    unknown = sorted(set(query) - set(known))
    if unknown:
        understood = f"Understood: {', '.join(known)}." if known else "No query is understood."
        raise InvalidFields(errors=(FieldError("query", f"Unknown field. {understood}"),))


def parse_body(model: "type[Model]", body: bytes) -> "Model":
    """The body as this model, strictly: no coercion, no unknown field.

    Raises MalformedBody when it is not JSON, InvalidFields when it does not fit.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    if any(item["type"] == "json_invalid" for item in found):
        raise MalformedBody
    raise InvalidFields(
        errors=tuple(
            FieldError(".".join(map(_printable, item["loc"])), item["msg"])
            for item in found[:_MAX_ERRORS]
        )
    )


def _printable(part: str | int) -> str:
    """A part of a path. It may be a name the caller made up: cut short, and on one line."""
    return "".join(character for character in str(part)[:64] if character.isprintable())
