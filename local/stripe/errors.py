"""Stripe's refusals, in the shape its API gives them (docs.stripe.com/error-codes)."""

from typing import Any

from local.standin.happenings import Refusal

Json = dict[str, Any]


class ApiError(Refusal):
    """An answer other than success: {"error": {type, code, message, param, …}} with its status.

    `executed` tells a refusal of the request itself, which an idempotency key does not keep,
    from an outcome of carrying it out, which it does.
    """

    def __init__(self, status: int, error: Json, *, executed: bool = False) -> None:
        super().__init__(status, error["message"])
        self.error = {name: value for name, value in error.items() if value is not None}
        self.executed = executed


def _bad_request(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    error = {"type": "invalid_request_error", "code": code, "message": message, "param": param}
    return ApiError(400, error)


def unknown_parameter(param: str) -> ApiError:
    return _bad_request(f"Received unknown parameter: {param}", param, "parameter_unknown")


def missing_parameter(param: str) -> ApiError:
    return _bad_request(f"Missing required param: {param}.", param, "parameter_missing")


def empty_parameter(param: str) -> ApiError:
    message = f"You passed an empty string for '{param}', which cannot be unset."
    return _bad_request(message, param, "parameter_invalid_empty")


def invalid_integer(param: str, value: str) -> ApiError:
    return _bad_request(f"Invalid integer: {value}", param, "parameter_invalid_integer")


def invalid_parameter(param: str, message: str, code: str | None = None) -> ApiError:
    return _bad_request(message, param, code)


def not_modelled(param: str) -> ApiError:
    """For a parameter which Stripe has and the stand-in cannot honour: better than ignoring it."""
    return _bad_request(f"Stripe has {param}, but this stand-in does not model it.", param)


def invalid_key() -> ApiError:
    error = {"type": "invalid_request_error", "message": "Invalid API Key provided."}
    return ApiError(401, error)


def unknown_version(version: str) -> ApiError:
    return _bad_request(f"Invalid Stripe API version: {version}")


def unknown_route(method: str, path: str) -> ApiError:
    message = f"Unrecognized request URL ({method}: {path})."
    return ApiError(404, {"type": "invalid_request_error", "message": message})


def no_such(resource: str, identifier: str, param: str, status: int = 400) -> ApiError:
    """404 for the object an address names, 400 for one a parameter names."""
    error = {
        "type": "invalid_request_error",
        "code": "resource_missing",
        "message": f"No such {resource}: '{identifier}'",
        "param": param,
    }
    return ApiError(status, error, executed=True)


def unexpected_state(message: str, payment_intent: Json | None = None) -> ApiError:
    error = {
        "type": "invalid_request_error",
        "code": "payment_intent_unexpected_state" if payment_intent else None,
        "message": message,
        "payment_intent": payment_intent,
    }
    return ApiError(400, error, executed=True)


def charge_refused(message: str, code: str) -> ApiError:
    """For a charge that can't be refunded as it stands."""
    error = {"type": "invalid_request_error", "code": code, "message": message}
    return ApiError(400, error, executed=True)


def card_error(payment_error: Json, payment_intent: Json) -> ApiError:
    """`payment_error` is the intent's last_payment_error; the answer adds the intent itself."""
    return ApiError(402, {**payment_error, "payment_intent": payment_intent}, executed=True)


def key_reused() -> ApiError:
    message = (
        "Keys for idempotent requests can only be used with the same parameters "
        "they were first used with."
    )
    return ApiError(400, {"type": "idempotency_error", "message": message})


def key_in_use() -> ApiError:
    error = {
        "type": "idempotency_error",
        "code": "idempotency_key_in_use",
        "message": "There is currently another in-progress request using this Idempotent Key.",
    }
    return ApiError(409, error)


def server_error(status: int) -> ApiError:
    error = {"type": "api_error", "message": "The stand-in was told to fail."}
    return ApiError(status, error)
