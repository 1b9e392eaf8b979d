"""The peer as a container: `python theirs.py TOKEN ASKED` is the other end of a Caller.

Django's own WSGI application, called with what a server would pass; ASKED is told in asked.py.
"""

import io
import os
import sys

from asked import HEADERS, clients
from django.core.wsgi import get_wsgi_application

from benchmarks.turns import answer


def main(token: str, asked: str) -> None:
    """Answers as often as it is asked to."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    application, ids, statuses = get_wsgi_application(), clients(asked), list[str]()
    headers = {**HEADERS, "authorization": f"Token {token}"}
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "CONTENT_LENGTH": "",
        "SERVER_NAME": "functions.example",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "https",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }

    def start_response(status: str, _headers: object) -> None:
        statuses.append(status)

    def call() -> str:
        request = {"PATH_INFO": f"/check/{next(ids)}", "wsgi.input": io.BytesIO()}
        response = application({**environ, **request}, start_response)
        body = b"".join(response).decode()
        response.close()
        assert statuses.pop() == "200 OK", body
        return body

    answer(call)


if __name__ == "__main__":
    main(*sys.argv[1:])
