"""The container of these tests."""

import pytest

from tests.http.calls import NOWHERE
from tollgate.operations.context import Context


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that can't reach anything."""
    context = Context.open(NOWHERE)
    monkeypatch.setattr("tollgate.http.endpoint.container_context", lambda: context)
