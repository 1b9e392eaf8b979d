"""How test_suites_under_faults.py has the tests of other modules collected as its own."""

from collections.abc import Iterable
from pathlib import Path

import pytest

AGAIN = "test_suites_under_faults.py"
NEEDS_REDIS = "needs_redis"


class SuitesAgain(pytest.Module):
    """The tests of the modules in its SUITES, which see its fixtures in the place of theirs."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        yield from super().collect()  # its fixtures become known
        for suite in self.obj.SUITES:
            path = Path(suite.__file__)
            yield pytest.Module.from_parent(self, path=path, nodeid=f"{self.nodeid}::{path.name}")


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    if module_path.name != AGAIN:
        return None
    module: pytest.Module = SuitesAgain.from_parent(parent, path=module_path)
    return module


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what can't hold: a test of what Redis is for, where Redis is broken."""
    left_out = [
        item for item in items if AGAIN in item.nodeid and "redis_" in item.name and _needs(item)
    ]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _needs(item: pytest.Item) -> bool:
    return item.get_closest_marker(NEEDS_REDIS) is not None
