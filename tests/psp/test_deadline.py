"""A request ends at its deadline, however the answer comes."""

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.chaos.fault_proxy import BLACK_HOLE, REFUSE, RESET, Cut, FaultProxy, Mode, drip
from tests.local.stripe.conftest import Bench
from tollgate.psp.deadline import DeadlineTransport

DEADLINE_SECONDS = 0.5
WIDE_SECONDS = 3.0
PAGE = "/_standin/ledger"


@pytest.fixture
def line(bench: Bench) -> Iterator[FaultProxy]:
    with FaultProxy(bench.url) as proxy:
        yield proxy


@pytest.fixture
def client(line: FaultProxy, bench: Bench) -> Iterator[httpx.Client]:
    transport = DeadlineTransport(DEADLINE_SECONDS)
    url = line.through(bench.url)
    with httpx.Client(base_url=url, transport=transport, timeout=2 * WIDE_SECONDS) as client:
        yield client


def test_a_request_in_time_is_as_ever(client: httpx.Client, bench: Bench) -> None:
    for _ in range(3):
        response = client.get(PAGE)
        assert (response.status_code, response.json()) == (200, bench.ledger())


def test_the_next_request_has_a_deadline_of_its_own(client: httpx.Client) -> None:
    client.get(PAGE)
    time.sleep(DEADLINE_SECONDS)
    assert client.get(PAGE).status_code == 200


@pytest.mark.parametrize("kept", [True, False], ids=["kept_connection", "new_connection"])
@pytest.mark.parametrize("part", ["head", "body"])
def test_an_answer_that_drips(
    client: httpx.Client, line: FaultProxy, bench: Bench, kept: bool, part: str
) -> None:
    """Each byte is in time for the client's own timeout; all of them would take minutes."""
    headers = client.get(PAGE).headers.raw if kept else bench.browser.get(PAGE).headers.raw
    head_bytes = len("HTTP/1.1 200 OK") + sum(len(name + value) + 4 for name, value in headers)
    line.switch(drip(0.1), Cut(answer_bytes=head_bytes if part == "body" else 0))
    began = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        client.get(PAGE)
    assert time.monotonic() - began < WIDE_SECONDS


def test_silence(client: httpx.Client, line: FaultProxy) -> None:
    line.switch(BLACK_HOLE)
    began = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        client.get(PAGE)
    assert time.monotonic() - began < WIDE_SECONDS
    line.heal()
    assert client.get(PAGE).status_code == 200


def test_the_clients_own_timeout_holds_where_it_is_less(line: FaultProxy, bench: Bench) -> None:
    line.switch(BLACK_HOLE)
    began = time.monotonic()
    with (
        httpx.Client(transport=DeadlineTransport(4 * WIDE_SECONDS), timeout=0.2) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.get(line.through(bench.url))
    assert time.monotonic() - began < WIDE_SECONDS


@pytest.mark.parametrize(
    ("mode", "error"), [(REFUSE, httpx.ConnectError), (RESET, httpx.TransportError)]
)
def test_other_errors_stay_what_they_are(
    client: httpx.Client, line: FaultProxy, mode: Mode, error: type[httpx.TransportError]
) -> None:
    line.switch(mode)
    with pytest.raises(error) as raised:
        client.get(PAGE)
    assert not isinstance(raised.value, httpx.TimeoutException)
