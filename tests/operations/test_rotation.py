"""Sealed fields, and the rotation of their keys while everything else goes on."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.world import World
from tollgate.crypto.fields import FieldCipher, Place, key_id_of
from tollgate.domain.errors import DecryptionFailed, Misconfigured
from tollgate.domain.keyring import Keyring
from tollgate.domain.principal import EVERY_TENANT
from tollgate.operations import rotation
from tollgate.operations.context import Context
from tollgate.operations.customers import find_customers
from tollgate.operations.rotation import reseal_fields
from tollgate.storage.sealed_fields import CUSTOMERS, Resealed, replace_sealed

OLD, NEW = b"o" * 32, b"n" * 32
BEFORE = Keyring({"old": OLD})
KNOWN = Keyring({"old": OLD, "new": NEW})
TURNED = Keyring({"new": NEW, "old": OLD})
AFTER = Keyring({"new": NEW})

CUSTOMER = {"email": "Client@Example.com", "phone": "+254712345678", "name": "A Client"}


@pytest.fixture
def containers(world: World) -> Iterator[Callable[[Keyring], Context]]:
    """Containers of one deployment after another; closed at the end."""
    with contextlib.ExitStack() as stack:

        def container(ring: Keyring) -> Context:
            context = world.new_context(field_keys=ring)
            stack.callback(context.database.close)
            stack.callback(context.cache.close)
            return context

        yield container


def pay(world: World, name: str, context: Context) -> dict[str, Any]:
    """A payment that is paid, and the event that told so."""
    request = {"client_id": name, "plan": "monthly", "customer": CUSTOMER}
    headers = {"idempotency-key": name}
    answer = world.call("payments/create", body=request, headers=headers, context=context)
    assert answer.status == 201
    payment = answer.json
    event = {
        "event_id": f"evt_{name}",
        "type": "paid",
        "livemode": False,
        "payment_id": payment["id"],
        "psp_reference": payment["psp_reference"],
    }
    signed = {"signature": "signed"}
    told = world.call(
        "webhook/receive", path="/stripe", body=event, headers=signed, context=context
    )
    assert told.status == 200
    return payment


def keys_in_use(world: World) -> set[str]:
    sealed = world.rows("SELECT customer FROM payments UNION ALL SELECT payload FROM inbox")
    return {key_id_of(bytes(value)) for (value,) in sealed}


def reseal(context: Context) -> list[str]:
    return reseal_fields(context.within(EVERY_TENANT), lambda line: None)


def found(context: Context, world: World, email: str) -> list[dict[str, Any]]:
    return list(find_customers(context.within(EVERY_TENANT), world.app.id, email).values())


class TestAtRest:
    def test_a_customer_is_sealed_for_its_row_and_found_by_email(self, world: World) -> None:
        payment = pay(world, "client-1", world.context)
        ((sealed, index),) = world.rows("SELECT customer, customer_email_index FROM payments")
        assert b"lient" not in bytes(sealed) + bytes(index)
        assert found(world.context, world, " client@example.COM ") == [CUSTOMER]
        assert found(world.context, world, "other@example.com") == []
        cipher = FieldCipher(world.settings.field_keys or BEFORE, world.context.random_bytes)
        place = Place("payments", "customer", payment["id"], world.app.id)
        assert json.loads(cipher.decrypt(place, bytes(sealed))) == CUSTOMER
        for moved in (
            Place("payments", "customer", "pay_other", world.app.id),
            Place("payments", "customer", payment["id"], world.other_app.id),
            Place("inbox", "payload", payment["id"], world.app.id),
        ):
            with pytest.raises(DecryptionFailed):
                cipher.decrypt(moved, bytes(sealed))

    def test_another_app_finds_nobody(self, world: World) -> None:
        pay(world, "client-1", world.context)
        platform = world.context.within(EVERY_TENANT)
        assert find_customers(platform, world.other_app.id, CUSTOMER["email"]) == {}

    def test_what_the_app_did_not_tell_is_not_there(self, world: World) -> None:
        request = {"client_id": "c", "plan": "monthly"}
        for name, customer in (("k-1", None), ("k-2", {}), ("k-3", {"phone": "+254712345678"})):
            body = {**request, "customer": customer} if customer is not None else request
            headers = {"idempotency-key": name}
            assert world.call("payments/create", body=body, headers=headers).status == 201
        stored = world.rows(
            """SELECT customer IS NOT NULL, customer_email_index IS NOT NULL
               FROM payments ORDER BY idempotency_key"""
        )
        assert stored == [(False, False), (False, False), (True, False)]

    def test_an_event_is_kept_as_it_was_sent_but_for_card_numbers(self, world: World) -> None:
        payment = pay(world, "client-1", world.context)
        event = {
            "event_id": "evt_card",
            "type": "paid with 4242 4242 4242 4242",
            "livemode": False,
            "payment_id": payment["id"],
            "psp_reference": payment["psp_reference"],
        }
        signed = {"signature": "signed"}
        assert (
            world.call("webhook/receive", path="/stripe", body=event, headers=signed).status == 200
        )
        ((sealed,),) = world.rows("SELECT payload FROM inbox WHERE event_id = 'evt_card'")
        cipher = FieldCipher(world.settings.field_keys or BEFORE, world.context.random_bytes)
        place = Place("inbox", "payload", "stripe:evt_card", world.app.id)
        kept = json.loads(cipher.decrypt(place, bytes(sealed)))
        assert kept == {**event, "type": "paid with **** **** **** 4242"}

    def test_nothing_in_the_clear_gets_into_a_sealed_column(self, world: World) -> None:
        pay(world, "client-1", world.context)
        for column in ("payments.customer", "inbox.payload"):
            table, _, name = column.partition(".")
            with pytest.raises(Exception, match="check constraint"):
                world.rows(f"UPDATE {table} SET {name} = '{{\"email\": 1}}'::bytea RETURNING 1")

    def test_without_keys_nothing_is_taken(self, world: World) -> None:
        context = world.new_context(field_keys=None)
        request = {"client_id": "c", "plan": "monthly", "customer": CUSTOMER}
        headers = {"idempotency-key": "k-1"}
        answer = world.call("payments/create", body=request, headers=headers, context=context)
        assert (answer.status, answer.json["code"]) == (503, Misconfigured().code)
        assert world.rows("SELECT count(*) FROM payments") == [(0,)]
        context.database.close()
        context.cache.close()


class TestRotation:
    def test_under_load(
        self,
        world: World,
        containers: Callable[[Keyring], Context],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Payments and events go on, by containers of two deployments, meanwhile."""
        monkeypatch.setattr(rotation, "BATCH", 7)
        deployments = [containers(ring) for ring in (KNOWN, TURNED, TURNED)]
        for number in range(20):
            pay(world, f"before-{number}", deployments[0])
        resealed_once, stop = threading.Event(), threading.Event()
        rounds: list[list[str]] = []

        def rotate() -> None:
            operator = containers(TURNED)
            while not stop.is_set():
                rounds.append(reseal(operator))
                resealed_once.set()

        def take(number: int, context: Context) -> None:
            for turn in range(15):
                pay(world, f"during-{number}-{turn}", context)
                assert found(context, world, CUSTOMER["email"])

        operators = [threading.Thread(target=rotate) for _ in range(2)]
        for thread in operators:
            thread.start()
        with ThreadPoolExecutor() as pool:
            list(pool.map(take, range(3), deployments))
        assert resealed_once.wait(10)
        stop.set()
        for thread in operators:
            thread.join()
        assert reseal(deployments[1]) == []

        assert {line for lines in rounds for line in lines} == set()
        assert keys_in_use(world) == {"new"}
        alone = containers(AFTER)
        assert found(alone, world, CUSTOMER["email"]) == [CUSTOMER] * (20 + 45)
        assert world.rows("SELECT count(*) FROM inbox") == [(65,)]

    def test_what_is_written_behind_it_is_found_too(
        self,
        world: World,
        containers: Callable[[Keyring], Context],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A container of the deployment before writes a row that sorts before those done."""
        monkeypatch.setattr(rotation, "BATCH", 1)
        for name in ("m", "z"):
            pay(world, name, containers(BEFORE))
        late = iter(["a", "b"])

        def write_another(line: str) -> None:
            if line.startswith("inbox") and (name := next(late, None)):
                pay(world, name, containers(BEFORE))

        assert reseal_fields(containers(TURNED).within(EVERY_TENANT), write_another) == []
        assert keys_in_use(world) == {"new"}

    def test_a_value_that_changed_meanwhile_is_left_alone(self, world: World) -> None:
        payment = pay(world, "client-1", world.context)
        before = world.rows("SELECT customer FROM payments")
        stale = Resealed(payment["id"], was=b"\x01 another", sealed=b"\x01 new", email_index=None)
        database = world.context.within(EVERY_TENANT).database
        replace_sealed(database, CUSTOMERS, [stale])
        assert world.rows("SELECT customer FROM payments") == before

    def test_half_done_goes_on_where_it_ended(
        self,
        world: World,
        containers: Callable[[Keyring], Context],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(rotation, "BATCH", 2)
        for number in range(5):
            pay(world, f"client-{number}", containers(BEFORE))

        def die(line: str) -> None:
            raise KeyboardInterrupt

        operator = containers(TURNED)
        with pytest.raises(KeyboardInterrupt):
            reseal_fields(operator.within(EVERY_TENANT), die)
        assert keys_in_use(world) == {"old", "new"}
        for ring in (KNOWN, TURNED):
            assert found(containers(ring), world, CUSTOMER["email"]) == [CUSTOMER] * 5
        assert reseal(operator) == []
        assert keys_in_use(world) == {"new"}

    def test_a_key_that_is_not_known_yet_is_an_error_and_no_answer(
        self, world: World, containers: Callable[[Keyring], Context]
    ) -> None:
        pay(world, "client-1", containers(AFTER))
        with pytest.raises(DecryptionFailed):
            context = containers(BEFORE)
            cipher = FieldCipher(BEFORE, context.random_bytes)
            ((payment_id, sealed),) = world.rows("SELECT id, customer FROM payments")
            cipher.decrypt(Place("payments", "customer", payment_id, world.app.id), bytes(sealed))

    def test_what_cannot_be_read_is_named_and_stays(
        self, world: World, containers: Callable[[Keyring], Context]
    ) -> None:
        """A value that was moved to another row is an error, not somebody else's data."""
        before = containers(BEFORE)
        first, second = (pay(world, client_id, before) for client_id in ("client-1", "client-2"))
        world.rows(
            """UPDATE payments SET customer = (SELECT customer FROM payments WHERE id = %s)
               WHERE id = %s RETURNING id""",
            first["id"],
            second["id"],
        )
        operator = containers(TURNED)
        assert reseal(operator) == [f"payments {second['id']}"]
        assert reseal(operator) == [f"payments {second['id']}"]
        kept = world.rows("SELECT customer FROM payments WHERE id = %s", second["id"])
        assert key_id_of(bytes(kept[0][0])) == "old"
        with pytest.raises(DecryptionFailed):
            found(operator, world, CUSTOMER["email"])

    def test_it_leaves_everything_else_as_it_is(
        self, world: World, containers: Callable[[Keyring], Context]
    ) -> None:
        pay(world, "client-1", containers(BEFORE))
        look = "SELECT to_jsonb(payments) - 'customer' - 'customer_email_index' FROM payments"
        before = world.rows(look)
        reseal(containers(TURNED))
        assert world.rows(look) == before
