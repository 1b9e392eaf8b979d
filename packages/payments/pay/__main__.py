"""GET, POST /{link}: the page where a client pays a bill."""

from tollgate.http.endpoint import endpoint
from tollgate.http.problem_pages import problem_page
from tollgate.http.route import GET, POST
from tollgate.operations.pay_page import pay_on_page, show_pay_page

main = endpoint(
    GET(show_pay_page, target="link", query=None),
    POST(pay_on_page, target="link", query=None, max_body_bytes=8 * 1024),
    tells=problem_page,
)
