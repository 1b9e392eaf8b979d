"""The container of these tests."""

import pytest

from tests.http.calls import NOWHERE
from tollgate.http import endpoint as http
from tollgate.operations.context import Context


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that can't reach anything."""
    context = Context.open(NOWHERE)
    monkeypatch.setattr(http, "container_context", lambda: context)
