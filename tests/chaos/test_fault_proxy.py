"""The proxy breaks lines as it says: what a test of an outage believes is tested here."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.chaos.fault_proxy import (
    BLACK_HOLE,
    PASS,
    REFUSE,
    RESET,
    Cut,
    FaultProxy,
    Mode,
    delay,
    drip,
)

SHORT_SECONDS = 0.3
LONG_SECONDS = 5.0


class Echo:
    """A server that says everything twice, and remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._answer, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while said := connection.recv(65536):
                self.heard.append(said)
                connection.sendall(said * 2)
        self.ended.set()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.stop()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[FaultProxy]:
    with FaultProxy(echo.url) as proxy:
        yield proxy


@contextlib.contextmanager
def connected(proxy: FaultProxy, timeout: float = LONG_SECONDS) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout) as client:
        yield client


def ask(client: socket.socket, words: bytes = b"word") -> bytes:
    """What comes back in all, once as much came as the server says."""
    client.sendall(words)
    answer = b""
    while len(answer) < 2 * len(words) and (chunk := client.recv(65536)):
        answer += chunk
    return answer


def test_a_whole_line_changes_nothing(proxy: FaultProxy) -> None:
    words = bytes(range(256)) * 4000
    with connected(proxy) as client, connected(proxy) as other:
        sender = threading.Thread(target=client.sendall, args=(words,))
        sender.start()
        assert ask(other) == b"wordword"
        received = 0
        while received < 2 * len(words):
            received += len(client.recv(65536))
        sender.join()
    assert proxy.faults == 0


def test_the_end_of_a_connection_is_handed_on(proxy: FaultProxy, echo: Echo) -> None:
    with connected(proxy) as client:
        ask(client)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert echo.ended.wait(LONG_SECONDS)
    assert proxy.faults == 0


def test_a_url_goes_by_way_of_the_proxy(proxy: FaultProxy) -> None:
    url = "postgresql://me:secret@127.0.0.1:5432/mine?sslmode=disable"
    there = f"postgresql://me:secret@127.0.0.1:{proxy.port}/mine?sslmode=disable"
    assert proxy.through(url) == there
    assert proxy.through("redis://localhost:6379/0") == f"redis://127.0.0.1:{proxy.port}/0"


@pytest.mark.parametrize("mode", [RESET, REFUSE])
def test_a_living_connection_is_reset(proxy: FaultProxy, echo: Echo, mode: Mode) -> None:
    with connected(proxy) as client:
        ask(client)
        proxy.switch(mode)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert echo.ended.wait(LONG_SECONDS)
    assert proxy.faults == 1


def test_a_new_connection_is_taken_and_reset(proxy: FaultProxy, echo: Echo) -> None:
    proxy.switch(RESET)
    with pytest.raises(ConnectionError), connected(proxy) as client:
        ask(client)
    assert echo.heard == []


def test_nothing_listens_until_it_is_healed(proxy: FaultProxy) -> None:
    for _ in range(3):
        proxy.switch(REFUSE)
        with pytest.raises(ConnectionRefusedError), connected(proxy):
            pass
        proxy.heal()
        with connected(proxy) as client:
            assert ask(client) == b"wordword"


def test_a_black_hole_takes_connections_and_everything(proxy: FaultProxy, echo: Echo) -> None:
    proxy.switch(BLACK_HOLE)
    with connected(proxy, SHORT_SECONDS) as client, pytest.raises(TimeoutError):
        ask(client)
    assert echo.heard == []
    assert proxy.faults == 1


def test_living_connections_fall_silent_for_good(proxy: FaultProxy, echo: Echo) -> None:
    with connected(proxy, SHORT_SECONDS) as client:
        ask(client)
        proxy.switch(BLACK_HOLE)
        with pytest.raises(TimeoutError):
            ask(client, b"lost")
        proxy.heal()
        with pytest.raises(TimeoutError):
            ask(client, b"lost too")
        with connected(proxy) as other:
            assert ask(other, b"new") == b"newnew"
        assert echo.ended.wait(LONG_SECONDS)
        echo.ended.clear()
    assert not echo.ended.wait(SHORT_SECONDS)  # a silent line doesn't tell that an end is gone
    assert echo.heard == [b"word", b"new"]


def test_each_chunk_waits(proxy: FaultProxy) -> None:
    proxy.switch(delay(SHORT_SECONDS))
    with connected(proxy) as client:
        began = time.monotonic()
        assert ask(client) == b"wordword"
        assert time.monotonic() - began >= 2 * SHORT_SECONDS
    assert proxy.faults == 1


def test_bytes_come_one_by_one(proxy: FaultProxy) -> None:
    with connected(proxy) as client:
        ask(client)
        proxy.switch(drip(0.02))
        client.sendall(b"word")
        pieces: list[bytes] = []
        while len(b"".join(pieces)) < 8:
            pieces.append(client.recv(100))
    assert b"".join(pieces) == b"wordword"
    assert len(pieces) > 4  # of eight; two may meet where the machine is slow


@pytest.mark.parametrize("mode", [RESET, REFUSE])
@pytest.mark.parametrize("answer_bytes", [0, 3])
def test_an_answer_is_cut(proxy: FaultProxy, echo: Echo, mode: Mode, answer_bytes: int) -> None:
    with connected(proxy) as client:
        proxy.switch(mode, Cut(b"COMMIT", answer_bytes=answer_bytes))
        assert ask(client, b"BEGIN") == b"BEGINBEGIN"
        client.sendall(b"please COMMIT now")
        with pytest.raises(ConnectionResetError):
            while client.recv(1):
                pass
    assert echo.heard == [b"BEGIN", b"please COMMIT now"]
    assert proxy.mode is mode


def test_some_of_an_answer_comes_before_the_silence(proxy: FaultProxy) -> None:
    with connected(proxy, SHORT_SECONDS) as client:
        proxy.switch(BLACK_HOLE, Cut(b"word", answer_bytes=5))
        client.sendall(b"word")
        assert client.recv(100) == b"wordw"
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_a_cut_is_at_the_next_answer_where_nothing_else_is_said(
    proxy: FaultProxy, echo: Echo
) -> None:
    with connected(proxy, SHORT_SECONDS) as client:
        proxy.switch(BLACK_HOLE, Cut())
        with pytest.raises(TimeoutError):
            ask(client)
    assert echo.heard == [b"word"]


@pytest.mark.parametrize("mode", [RESET, REFUSE, BLACK_HOLE])
def test_a_request_is_lost(proxy: FaultProxy, echo: Echo, mode: Mode) -> None:
    with connected(proxy, SHORT_SECONDS) as client:
        proxy.switch(mode, Cut(b"COMMIT", takes_request=True))
        ask(client, b"BEGIN")
        with pytest.raises(OSError, match="reset" if mode.ends_connections else "timed out"):
            ask(client, b"COMMIT")
    assert echo.heard == [b"BEGIN"]


def test_some_requests_are_spared(proxy: FaultProxy, echo: Echo) -> None:
    with connected(proxy) as client:
        proxy.switch(RESET, Cut(b"word", skips=2))
        for _ in range(2):
            assert ask(client) == b"wordword"
            assert ask(client, b"other") == b"otherother"
        with pytest.raises(ConnectionResetError):
            ask(client)
    assert echo.heard.count(b"word") == 3


def test_a_cut_that_was_not_reached_is_forgotten(proxy: FaultProxy) -> None:
    proxy.switch(RESET, Cut(b"word"))
    proxy.heal()
    with connected(proxy) as client:
        assert ask(client) == b"wordword"
    assert proxy.mode is PASS


def test_a_server_that_is_gone_resets_who_comes(echo: Echo) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and doesn't listen
        with (
            FaultProxy(f"tcp://127.0.0.1:{nobody.getsockname()[1]}") as proxy,
            pytest.raises(ConnectionError),
            connected(proxy) as client,
        ):
            ask(client)
