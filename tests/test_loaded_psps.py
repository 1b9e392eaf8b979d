"""A function loads the adapter of the PSP that it serves, and no other's."""

import json

import pytest

from tests.test_import_budget import HEAVY, call, environment
from tests.world import World
from tollgate.psp import REGISTRY


@pytest.mark.parametrize("psp", REGISTRY)
def test_a_webhook_loads_the_psp_it_serves_and_no_other(world: World, psp: str) -> None:
    event = {"method": "POST", "path": f"/{psp}/token", "headers": {}, "body": ""}
    answer, modules = call("webhook/receive", event, environment(world.stores))
    assert answer["statusCode"] in (400, 503)  # this deployment knows none of its secrets
    assert psps_of(modules) == {psp}
    assert modules.isdisjoint(HEAVY)


@pytest.mark.parametrize("psp", REGISTRY)
def test_a_create_loads_the_psp_it_serves_and_no_other(world: World, psp: str) -> None:
    body = {"client_id": "c-1", "amount": 1_000, "currency": "USD", "psp": psp}
    event = {
        "method": "POST",
        "path": "",
        "headers": {"authorization": f"Bearer {world.app.key}", "idempotency-key": "k-1"},
        "body": json.dumps(body),
    }
    answer, modules = call("payments/create", event, environment(world.stores))
    assert answer["statusCode"] in (422, 503)  # it is set up for none
    assert psps_of(modules) == {psp}


def psps_of(modules: set[str]) -> set[str]:
    """Whose adapters are loaded."""
    return {psp for psp in REGISTRY if any(m.startswith(f"tollgate.psp.{psp}") for m in modules)}
