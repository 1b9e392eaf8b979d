"""Jenga's errors: {status false, code, message}."""

from starlette.responses import JSONResponse

UNAUTHORIZED = 401
NOT_FOUND = 404
SIGNATURE_MISSING = 900100
SIGNATURE_INVALID = 900101
NOT_READABLE = 400400
DUPLICATE_REFERENCE = 400101

_DOWNSTREAM = {500: 500100, 502: 500101, 503: 500200, 504: 500401}


class ApiError(Exception):
    """A request that was refused. A `code` is a number here, and text where the API is."""

    def __init__(self, status: int, code: int | str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self) -> JSONResponse:
        body = {"status": False, "code": self.code, "message": str(self)}
        return JSONResponse(body, self.status)


def downstream_error(status: int) -> JSONResponse:
    """What Jenga answers where something behind it is out of order."""
    return ApiError(status, _DOWNSTREAM[status], "downstream error").response()
