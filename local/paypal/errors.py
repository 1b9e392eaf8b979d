"""Refusals as PayPal words them (developer.paypal.com, API responses)."""

from collections.abc import Iterable
from typing import Any

from local.paypal.specification import Problem
from local.standin.happenings import Refusal

Json = dict[str, Any]

_UNPROCESSABLE = (
    "The requested action could not be performed, semantically incorrect, or failed business "
    "validation."
)


class ApiError(Refusal):
    """A refused request: its status, and the body without `debug_id`."""

    def __init__(self, status: int, body: Json) -> None:
        issues = [one["issue"] for one in body.get("details", ())]
        super().__init__(status, ", ".join(issues) or body.get("name") or body["error"])
        self.body = body


def unprocessable(issue: str, description: str = "", field: str | None = None) -> ApiError:
    """A 422: the request is well formed, and PayPal won't do it."""
    detail = {"issue": issue, "description": description or issue.replace("_", " ").capitalize()}
    if field is not None:
        detail |= {"field": field, "location": "body"}
    return _error(422, "UNPROCESSABLE_ENTITY", _UNPROCESSABLE, [detail])


def invalid(problems: Iterable[Problem]) -> ApiError:
    """A 400: the request is not as published."""
    message = "Request is not well-formed, syntactically incorrect, or violates schema."
    details = [
        {"field": one.field, "issue": one.issue, "description": one.description, "location": "body"}
        for one in problems
    ]
    return _error(400, "INVALID_REQUEST", message, details)


def malformed_json() -> ApiError:
    return invalid([Problem("/", "MALFORMED_REQUEST_JSON", "The request JSON is not well formed.")])


def request_id_required() -> ApiError:
    problem = Problem("/", "PAYPAL_REQUEST_ID_REQUIRED", "A PayPal-Request-Id is required.")
    return invalid([problem])


def not_found() -> ApiError:
    message = "The specified resource does not exist."
    description = "Specified resource ID does not exist. Please check the resource ID."
    details = [{"issue": "INVALID_RESOURCE_ID", "description": description}]
    return _error(404, "RESOURCE_NOT_FOUND", message, details)


def in_progress() -> ApiError:
    message = "The server has detected a conflict while processing this request."
    description = "A previous request on this resource is currently in progress."
    details = [{"issue": "PREVIOUS_REQUEST_IN_PROGRESS", "description": description}]
    return _error(409, "RESOURCE_CONFLICT", message, details)


def forbidden() -> ApiError:
    message = "Authorization failed due to insufficient permissions."
    description = "You do not have permission to access or perform operations on this resource."
    details = [{"issue": "PERMISSION_DENIED", "description": description}]
    return _error(403, "NOT_AUTHORIZED", message, details)


def rate_limited() -> ApiError:
    return _error(429, "RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting.", [])


def server_error(status: int) -> ApiError:
    return _error(status, "INTERNAL_SERVER_ERROR", "An internal server error has occurred.", [])


def no_token() -> ApiError:
    message = (
        "Authentication failed due to invalid authentication credentials or a missing "
        "Authorization header."
    )
    return _error(401, "AUTHENTICATION_FAILURE", message, [])


def unsupported_media_type() -> ApiError:
    return _error(
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "The server does not support the request payload's media type.",
        [],
    )


def of_oauth(status: int, error: str, description: str) -> ApiError:
    """The layer that knows tokens has errors of another shape."""
    return ApiError(status, {"error": error, "error_description": description})


def _error(status: int, name: str, message: str, details: list[Json]) -> ApiError:
    return ApiError(status, {"name": name, "message": message, "details": details, "links": []})
