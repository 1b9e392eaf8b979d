"""HTTP to a PSP: what a broken line means for whether anything happened."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.chaos.fault_proxy import BLACK_HOLE, REFUSE, RESET, Cut, FaultProxy, Mode, drip
from tollgate.domain.errors import PspUnavailable
from tollgate.psp import client as subject
from tollgate.psp.client import Client

DEADLINE_SECONDS = 0.5
WIDE_SECONDS = 5.0
BROKEN = {"silent": BLACK_HOLE, "reset": RESET, "dripping": drip(0.1)}


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A line that breaks is what the tests are about."""


class Server:
    """A PSP that notes what it is asked, and sends who asks for /elsewhere to another place."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self.headers: list[dict[str, str]] = []
        noted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                noted.asked.append((self.command, self.path, body))
                noted.headers.append({n.lower(): v for n, v in self.headers.items()})
                self.send_response(302 if self.path == "/elsewhere" else 200)
                if self.path == "/elsewhere":
                    self.send_header("location", "/paid")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST = _answer  # noqa: N815 - the names that http.server looks for

            def log_message(self, *_: object) -> None:
                """Prints nothing."""

        self._http = _Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def line(server: Server) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        yield proxy


@pytest.fixture
def client(line: FaultProxy, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setattr(subject, "READ_SECONDS", DEADLINE_SECONDS)
    monkeypatch.setattr(subject, "SEND_SECONDS", DEADLINE_SECONDS)
    client = Client("Tiny", line.through(server.url) + "/")
    yield client
    for kept in (client._reading, client._sending):
        kept.close()


def test_what_is_asked_arrives(client: Client, server: Server) -> None:
    assert client.read("GET", "/state", headers={"X-Mark": "1"}).json() == {}
    sent = client.send("POST", "/pay", json={"a": 1})
    assert sent is not None and sent.status_code == 200
    assert server.asked == [("GET", "/state", b""), ("POST", "/pay", b'{"a":1}')]
    assert server.headers[0]["x-mark"] == "1"


def test_without_a_connection_nothing_happened(client: Client, line: FaultProxy) -> None:
    line.switch(REFUSE)
    with pytest.raises(PspUnavailable, match="Tiny can't be reached"):
        client.send("POST", "/pay")
    with pytest.raises(PspUnavailable):
        client.read("GET", "/state")


@pytest.mark.parametrize("mode", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("kept", [True, False], ids=["kept connection", "new connection"])
class TestLostAnswer:
    """The request arrived; its answer does not."""

    def lose(self, client: Client, line: FaultProxy, mode: Mode, *, kept: bool) -> None:
        if kept:
            client.read("GET", "/before")
            client.send("POST", "/before")
        line.switch(mode, Cut(answer_bytes=0))

    def test_nobody_knows_what_came_of_what_was_sent(
        self, client: Client, line: FaultProxy, mode: Mode, kept: bool
    ) -> None:
        self.lose(client, line, mode, kept=kept)
        began = time.monotonic()
        assert client.send("POST", "/pay") is None
        assert time.monotonic() - began < WIDE_SECONDS

    def test_a_read_has_failed(
        self, client: Client, line: FaultProxy, mode: Mode, kept: bool
    ) -> None:
        self.lose(client, line, mode, kept=kept)
        began = time.monotonic()
        with pytest.raises(PspUnavailable):
            client.read("GET", "/state")
        assert time.monotonic() - began < WIDE_SECONDS

    def test_nothing_is_sent_twice(
        self, client: Client, line: FaultProxy, server: Server, mode: Mode, kept: bool
    ) -> None:
        self.lose(client, line, mode, kept=kept)
        client.send("POST", "/pay")
        assert [path for _, path, _ in server.asked].count("/pay") <= 1

    def test_the_next_one_goes_through(
        self, client: Client, line: FaultProxy, mode: Mode, kept: bool
    ) -> None:
        self.lose(client, line, mode, kept=kept)
        client.send("POST", "/pay")
        line.heal()
        assert client.read("GET", "/state").status_code == 200


def test_a_redirect_is_an_answer_like_any_other(client: Client, server: Server) -> None:
    assert client.read("GET", "/elsewhere").status_code == 302
    sent = client.send("POST", "/elsewhere")
    assert sent is not None and sent.status_code == 302
    assert [path for _, path, _ in server.asked] == ["/elsewhere"] * 2


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_of_the_environment_sees_it(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert client.read("GET", "/state").status_code == 200


def test_an_error_tells_nothing_of_what_was_sent(client: Client, line: FaultProxy) -> None:
    line.switch(REFUSE)
    with pytest.raises(PspUnavailable) as failed:
        client.send("POST", "/s3cret-path", headers={"Authorization": "Bearer s3cret"})
    assert failed.value.__cause__ is None and failed.value.__suppress_context__
    assert "s3cret" not in failed.value.detail
