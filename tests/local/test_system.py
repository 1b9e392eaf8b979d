"""What the functions of a laptop are given."""

from pathlib import Path

import pytest

from local.system import System
from tollgate.settings import Settings


def environment(directory: Path) -> dict[str, str]:
    system = System(directory, 9, print, print)
    return system._environment("postgresql://127.0.0.1/x", "redis://127.0.0.1/0")


def test_it_is_all_that_the_functions_want(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    assert settings.field_keys is not None
    assert settings.entitlement_keys is not None


def test_what_was_encrypted_stays_readable(tmp_path: Path) -> None:
    first, second = environment(tmp_path), environment(tmp_path)
    assert first["FIELD_KEYS"] == second["FIELD_KEYS"]
    assert (tmp_path / "field_keys").stat().st_mode & 0o777 == 0o600
    for name in ("ACCESS_TOKEN_KEYS", "ENTITLEMENT_KEYS", "CACHE_SECRET"):
        assert first[name] != second[name]
