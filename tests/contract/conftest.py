"""A stage for each test, judged at its end; servers and a browser for all of them."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from local.standin import deliveries
from tests.contract.judge import judge
from tests.contract.kinds import KINDS
from tests.contract.stage import Ports, Stage, stage_of
from tests.local.standin.serving import Server
from tests.psp.conftest import certificates_loaded_once, connections_end_with_their_test
from tests.world import Stores

__all__ = ["certificates_loaded_once", "connections_end_with_their_test"]

PATIENCE_SECONDS = 1.0

# The SDK hands its form to httpx in a way that httpx has deprecated.
_SDK_WARNING = "ignore:Use 'content=:DeprecationWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(_SDK_WARNING))


@pytest.fixture(scope="session")
def contract_ports() -> Iterator[Ports]:
    with ExitStack() as ends:
        stand_in, gateway = Server(), Server()
        ends.callback(stand_in.stop)
        ends.callback(gateway.stop)
        browser = ends.enter_context(httpx.Client(timeout=20, trust_env=False))
        yield Ports(stand_in, gateway, browser)


@pytest.fixture(autouse=True)
def _prompt_deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins look often for what is to be delivered: the tests wait for it."""
    monkeypatch.setattr(deliveries, "_POLL_SECONDS", 0.01)


@pytest.fixture
def stage(request: pytest.FixtureRequest, stores: Stores, contract_ports: Ports) -> Iterator[Stage]:
    """The stage that `for_kinds` names."""
    with stage_of(KINDS[request.param], stores, contract_ports) as stage:
        yield stage
        judge(stage)


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adapters wait a second for an answer, not ten."""
    for psp in KINDS.values():
        _ = psp.can  # so that its adapter is imported
    for name, module in sys.modules.items():
        if name.startswith("tollgate.psp.") and hasattr(module, "SEND_SECONDS"):
            monkeypatch.setattr(module, "SEND_SECONDS", PATIENCE_SECONDS)
