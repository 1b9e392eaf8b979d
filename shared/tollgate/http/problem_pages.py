"""Refusals as pages: for functions that are opened in a browser."""

from tollgate.http.request import Request
from tollgate.operations.context import Reply
from tollgate.pages.bill import plain_page
from tollgate.pages.layout import CONTENT_TYPE, HEADERS
from tollgate.pages.texts import language_of


def problem_page(status: int, request: Request | None) -> Reply:
    """A page that says what to do now. What went wrong is told by the log, under the request id."""
    language = language_of(request.query, request.headers) if request else language_of({}, {})
    page = plain_page(language, _text(status))
    return Reply(status, page, dict(HEADERS), CONTENT_TYPE)


def _text(status: int) -> str:
    if status == 404:
        return "unknown"
    return "busy" if status == 429 or status >= 500 else "unreadable"
