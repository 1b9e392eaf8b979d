"""A stage for the stories, which print their timelines: `pytest tests/journeys/stories -s`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import yaml

from local.host.project import Function, Trigger
from local.standin import deliveries
from tests.conftest import Cluster, new_stores
from tests.journeys.stories.scene import Ports, Street
from tests.journeys.stories.story import STEP, Story, story_of
from tests.local.standin.serving import Server
from tests.psp.conftest import certificates_loaded_once, connections_end_with_their_test

__all__ = ["certificates_loaded_once", "connections_end_with_their_test"]

PROJECT = Path(__file__).parents[3] / "project.yml"
Begin = Callable[..., AbstractContextManager[Story]]
"""Begins a story: when, and from which seed, with how long a step."""

# The SDK hands its form to httpx in a way that httpx has deprecated.
_SDK_WARNING = "ignore:Use 'content=:DeprecationWarning"
_NEVER_SECONDS = 86_400.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(_SDK_WARNING))


@pytest.fixture(scope="session")
def story_ports() -> Iterator[Ports]:
    with ExitStack() as ends:
        street, gateway = Street(), Server()
        ends.callback(street.stop)
        ends.callback(gateway.stop)
        browser = ends.enter_context(httpx.Client(timeout=20, trust_env=False))
        yield Ports(street, gateway, browser, _timers())


@pytest.fixture(autouse=True)
def _no_delivery_but_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhooks come at a story's halts, not whenever real time has passed."""
    monkeypatch.setattr(deliveries, "_POLL_SECONDS", _NEVER_SECONDS)


@pytest.fixture
def begin(cluster: Cluster, story_ports: Ports) -> Begin:
    """Begins stories, each over stores of its own."""

    @contextmanager
    def begin(starts: str, seed: int = 1, step: timedelta = STEP) -> Iterator[Story]:
        with (
            new_stores(cluster) as stores,
            story_of(stores, story_ports, starts, seed, step) as story,
        ):
            yield story

    return begin


def _timers() -> tuple[Function, ...]:
    """The functions with triggers, as project.yml has them."""
    return tuple(
        Function(
            package["name"],
            function["name"],
            Path(),
            triggers=tuple(
                Trigger(trigger["name"], trigger["sourceDetails"]["cron"], {})
                for trigger in function["triggers"]
            ),
        )
        for package in yaml.safe_load(PROJECT.read_text())["packages"]
        for function in package["functions"]
        if "triggers" in function
    )
