"""The deployer is installed once; each test gets a project of its own to break."""

from pathlib import Path

import pytest

from local.deploy_check import deployer
from local.deploy_check.interpreter import find_python311

from .small_project import Project, write_project


@pytest.fixture(scope="session")
def python311() -> Path:
    deployer.install()
    return find_python311()


@pytest.fixture
def project(tmp_path: Path, python311: Path) -> Project:
    return write_project(tmp_path / "project", python311)
