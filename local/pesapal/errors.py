"""Pesapal's refusals: HTTP 200, with the bad news inside."""

from typing import Any

from local.standin.happenings import Refusal

Json = dict[str, Any]

NO_ERROR: Json = {"error_type": None, "code": None, "message": None}


class ApiError(Refusal):
    """{"error": {error_type, code, message}, "status": "500"}; without a code, a message alone."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(409, message)
        self.code = code

    @property
    def body(self) -> Json:
        if self.code is None:
            return {"status": "500", "message": str(self)}
        return {"error": error_of(self.code, str(self)), "status": "500", "message": None}


class TokenRefused(Exception):
    """The request has no token, or one that is over."""


def error_of(code: str, message: str) -> Json:
    return {"error_type": "api_error", "code": code, "message": message}


def invalid(message: str) -> ApiError:
    """For a request with a field that is missing, unknown or out of range."""
    return ApiError(message, "invalid_api_request_parameters")


def unknown_order() -> ApiError:
    return ApiError("There is no order of this tracking id.", "invalid_order_tracking_id")
