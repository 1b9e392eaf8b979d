"""Fixtures of the function host's tests."""

from pathlib import Path

import pytest

from tests.local.host.sample import Sample


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path / "project")
