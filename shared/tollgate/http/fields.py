"""Fields of a request: read, and refused by name when they are wrong. Never by value."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl

from tollgate.domain.card_numbers import has_card_number
from tollgate.domain.errors import FieldError, InvalidFields, InvalidRequest, MalformedBody
from tollgate.http.request import Request

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


def parse_body(model: "type[Model]", request: Request, *, optional: bool = False) -> "Model":
    """The body as this model, strictly: no coercion, no unknown field. Where it is optional, no
    body is one without fields.

    Raises MalformedBody when it is not JSON, InvalidFields when it does not fit.
    """
    from pydantic import ValidationError

    try:
        body = b"{}" if optional and not request.body else request.body
        content = model.model_validate_json(body, strict=True)
        _refuse_card_numbers(content.model_dump())
        return content
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


def parse_form(model: "type[Model]", request: Request) -> "Model":
    """A form (RFC 6749 appendix B), or JSON, as this model; an empty field counts as not sent.

    Raises InvalidRequest, as OAuth wants it told.
    """
    from pydantic import ValidationError

    try:
        if request.is_json:
            return model.model_validate_json(request.body)
        pairs = parse_qsl(
            request.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=20
        )
        fields = dict(pairs)
        if len(fields) == len(pairs):
            return model.model_validate({name: value for name, value in fields.items() if value})
    except (ValueError, ValidationError):
        pass
    raise InvalidRequest


def _refuse_card_numbers(fields: object, path: str = "") -> None:
    """Whatever is in a body may be stored, and no card number ever is. Raises InvalidFields."""
    if isinstance(fields, str) and has_card_number(fields):
        message = "This looks like a card number. Tollgate takes and stores none."
        raise InvalidFields(errors=(FieldError(path, message),))
    if isinstance(fields, dict):
        for name, value in fields.items():
            _refuse_card_numbers(name, f"{path} (a name in it)")
            _refuse_card_numbers(value, f"{path}.{name}".lstrip("."))
    if isinstance(fields, list):
        for number, value in enumerate(fields):
            _refuse_card_numbers(value, f"{path}.{number}")


def _printable(part: str | int) -> str:
    """A part of a path. It may be a name the caller made up: cut short, and on one line."""
    return "".join(character for character in str(part)[:64] if character.isprintable())
