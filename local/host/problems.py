"""The host's own refusals, as problem documents (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse


class Refusal(Exception):
    """Ends a request with a problem document."""

    def __init__(
        self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})

    def response(self, request_id: str) -> JSONResponse:
        """The document, with the request's id in it and in a header."""
        document = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }
        return JSONResponse(
            document,
            status_code=self.status,
            headers={"x-request-id": request_id, **self.headers},
            media_type="application/problem+json",
        )


def not_found(what: str) -> Refusal:
    """404, for whatever is not there or not to be seen."""
    return Refusal(404, "not_found", f"There is no {what}.")
