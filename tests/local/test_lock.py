"""`make lock`: what is resolved into which file, and that a failure is not passed over."""

import subprocess
import sys
from typing import Any

import pytest

from local import lock


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would be run; the resolver asks an index, so it is not run here."""
    seen: list[list[str]] = []

    def run(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        seen.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["lock"])
    return seen


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def test_every_set_is_locked_after_the_development_environment(
    commands: list[list[str]],
) -> None:
    assert lock.main() == 0
    assert [(option(c, "--group"), option(c, "-o")) for c in commands] == [
        ("dev", "local/requirements.txt"),
        ("core", "shared/requirements/core.txt"),
        ("http", "shared/requirements/http.txt"),
        ("stripe", "shared/requirements/stripe.txt"),
        ("crypto", "shared/requirements/crypto.txt"),
        ("jwt", "shared/requirements/jwt.txt"),
    ]
    for command in commands:
        assert "--generate-hashes" in command and "--universal" in command
        assert option(command, "--python-version") == "3.11.2"
        assert "--upgrade" not in command


def test_vendor_sets_have_the_versions_that_are_tested(commands: list[list[str]]) -> None:
    lock.main()
    assert "-c" not in commands[0]
    for command in commands[1:]:
        assert option(command, "-c") == "local/requirements.txt"


def test_newer_versions_are_looked_for_on_demand(
    commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["lock", "--upgrade"])
    lock.main()
    assert "--upgrade" in commands[0]
    assert all("--upgrade" not in command for command in commands[1:])


def test_the_first_failure_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        ran.append(option(command, "--group"))
        return subprocess.CompletedProcess(command, 2 if ran[-1] == "core" else 0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["lock"])
    assert lock.main() == 2
    assert ran == ["dev", "core"]


def test_a_set_is_its_group_alone(commands: list[list[str]]) -> None:
    lock.main()
    assert "pyproject.toml" in commands[0]
    assert all("pyproject.toml" not in command for command in commands[1:])


@pytest.mark.parametrize("name", lock.SETS)
def test_what_is_locked_has_hashes_and_the_tested_version(name: str) -> None:
    locked = pins((lock.PROJECT / f"shared/requirements/{name}.txt").read_text())
    tested = pins((lock.PROJECT / lock.DEVELOPMENT).read_text())
    assert locked
    for package, (version, hashes) in locked.items():
        assert tested[package][0] == version
        assert hashes > 0


def pins(text: str) -> dict[str, tuple[str, int]]:
    """The version of each package, and how many hashes stand behind it."""
    found: dict[str, tuple[str, int]] = {}
    package = ""
    for line in text.splitlines():
        words = line.split()
        if words and "==" in words[0] and not line.startswith((" ", "#")):
            package, _, version = words[0].partition("==")
            found[package] = (version, 0)
        if package and "--hash=sha256:" in line:
            version, hashes = found[package]
            found[package] = (version, hashes + line.count("--hash=sha256:"))
    return found
