"""PayPal's stand-in, started for each test."""

from collections.abc import Iterator

import pytest

from tests.local.paypal.bench import Bench, Ports, served, standing


@pytest.fixture(scope="package")
def ports() -> Iterator[Ports]:
    with served() as ports:
        yield ports


@pytest.fixture
def bench(ports: Ports) -> Iterator[Bench]:
    with standing(ports) as bench:
        yield bench
