"""What a browser sees that a function refuses: a page, and never a problem document."""

from typing import Any

import pytest

from tests.http.calls import answered, echo, event
from tests.operations.test_pay_page import read_page
from tests.world import Answer, entry
from tollgate.domain.permissions import ANYONE
from tollgate.http.endpoint import endpoint
from tollgate.http.problem_pages import problem_page
from tollgate.http.route import POST
from tollgate.operations.context import Call, Context

SWAHILI = {"accept-language": "sw-KE,sw;q=0.9"}


def of_pay(**sent: Any) -> Answer:
    """What the pay page's own function answers, in a container that can reach nothing."""
    return answered(entry("payments/pay"), event(**sent))


@pytest.mark.usefixtures("nowhere")
class TestPagesOfRefusals:
    @pytest.mark.parametrize(
        ("sent", "status", "says"),
        [
            ({"method": "GET", "path": "/x"}, 503, "Please wait a minute"),
            ({"method": "POST", "path": "/x"}, 503, "Please wait a minute"),
            ({"path": "/x", "body": b"x" * 9_000}, 413, "did not work"),
            ({"method": "PATCH", "path": "/x"}, 405, "did not work"),
            ({"method": "GET", "path": "/%ff"}, 400, "did not work"),
            ({"method": "GET", "path": "/x", "query": "a=%ff"}, 400, "did not work"),
            ({"method": "GET"}, 404, "This link does not work"),
        ],
    )
    def test_are_read_by_people(self, sent: dict[str, Any], status: int, says: str) -> None:
        answer = of_pay(**sent, headers={"x-request-id": "r-1"})
        assert answer.status == status
        read_page(answer)
        assert says in answer.body and "{" not in answer.body.partition("</style>")[2]
        assert answer.headers["x-request-id"] == "r-1"
        assert ("retry-after" in answer.headers) == (status == 503)
        assert ("allow" in answer.headers) == (status == 405)

    def test_speak_the_language_that_is_asked_for_or_the_browsers(self) -> None:
        read = of_pay(method="GET", path="/x", headers=SWAHILI)
        asked = of_pay(method="GET", path="/x", query="lang=sw")
        other = of_pay(method="GET", path="/x", query="lang=en", headers=SWAHILI)
        assert '<html lang="sw">' in read.body and '<html lang="sw">' in asked.body
        assert '<html lang="en">' in other.body

    def test_a_crash_is_a_page_too(self) -> None:
        def crash(_context: Context, _call: Call[Any]) -> None:
            raise ValueError("s3cret")

        main = endpoint(POST(crash, permission=ANYONE), tells=problem_page)
        answer = answered(main)
        assert answer.status == 500
        read_page(answer)
        assert "Please wait a minute" in answer.body and "s3cret" not in answer.body

    def test_what_is_no_web_call(self) -> None:
        read_page(answered(endpoint(POST(echo, permission=ANYONE), tells=problem_page), {"x": 1}))

    def test_programs_read_json_as_before(self) -> None:
        answer = answered(endpoint(POST(echo, permission=ANYONE)), event("GET"))
        assert answer.headers["content-type"] == "application/problem+json"
