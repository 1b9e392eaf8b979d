"""What PSPs tell that sign nothing, number nothing, or name a payment by names of their own."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from tests.operations.paying import AMOUNT, PLAN, create, down, everything, status_of
from tests.operations.test_access import check
from tests.scripted_psp import ScriptedPsp
from tests.world import Answer, World
from tollgate.domain.callback import Callback
from tollgate.domain.errors import SignatureRefused
from tollgate.domain.outcome import Hint, Outcome
from tollgate.domain.payment import PaymentStatus
from tollgate.storage import strays

OF_NOTHING = Hint(None, "ipn", False, None, None)
SECRET_PATH = "/pesapal/s3cret-path"
SUCCEEDED = PaymentStatus.SUCCEEDED


@dataclass
class NotifyingPsp(ScriptedPsp):
    """Tells by GET and POST, under a path that nobody else knows, what `hint` says."""

    hint: Hint = OF_NOTHING
    callbacks: list[Callback] = field(default_factory=list)
    others: dict[str, Outcome] = field(default_factory=dict)

    def read_event(self, callback: Callback, _now: datetime) -> Hint:
        """The hint, whatever was sent to the right path."""
        if callback.path_token != "s3cret-path":
            raise SignatureRefused
        self.callbacks.append(callback)
        return self.hint

    def fetch(self, psp_reference: str) -> Outcome:
        """What it says of `others` too."""
        if psp_reference in self.others:
            self.fetches.append(psp_reference)
            return self.others[psp_reference]
        return super().fetch(psp_reference)


@pytest.fixture
def psp(world: World) -> NotifyingPsp:
    world.psp = NotifyingPsp()
    return world.psp


def start(world: World, body: Any = AMOUNT, key: str = "k-1") -> str:
    """A payment at this PSP; its id."""
    payment_id: str = create(world, body | {"psp": "pesapal"}, key).json["id"]
    return payment_id


def about(psp: NotifyingPsp, payment_id: str, **changed: Any) -> None:
    """What the next notifications are about."""
    plain = Hint(None, "ipn", False, payment_id, f"ref_{payment_id}")
    psp.hint = replace(plain, **changed)


def notify(world: World, method: str = "GET", path: str = SECRET_PATH, **more: Any) -> Answer:
    return world.call("webhook/receive", method=method, path=path, **more)


def inbox(world: World) -> int:
    ((count,),) = world.rows("SELECT count(*) FROM inbox WHERE processed_at IS NOT NULL")
    return int(count)


class TestArrival:
    def test_all_of_it_comes_to_the_adapter(self, world: World, psp: NotifyingPsp) -> None:
        payment_id = start(world)
        about(psp, payment_id)
        assert notify(world, query="OrderTrackingId=x&More=%20y").status == 200
        world.pass_time(seconds=1)
        headers = {"Content-Type": "application/json"}
        assert notify(world, "POST", body={"a": 1}, headers=headers).status == 200
        by_get, by_post = psp.callbacks
        assert (by_get.method, by_get.path_token) == ("GET", "s3cret-path")
        assert dict(by_get.query) == {"OrderTrackingId": "x", "More": " y"}
        assert (by_post.method, by_post.body) == ("POST", b'{"a": 1}')
        assert by_post.headers["content-type"] == "application/json"

    @pytest.mark.parametrize("path", ["/pesapal", "/pesapal/", "/pesapal/wrong"])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_at_another_path_it_is_refused(
        self, world: World, psp: NotifyingPsp, method: str, path: str
    ) -> None:
        start(world)
        before = everything(world)
        assert notify(world, method, path).status == 400
        assert (everything(world), psp.fetches) == (before, [])

    def test_it_settles_the_payment(self, world: World, psp: NotifyingPsp) -> None:
        payment_id = start(world, PLAN)
        about(psp, payment_id)
        psp.status = SUCCEEDED
        assert notify(world).status == 200
        assert status_of(world, payment_id) == "succeeded"
        assert check(world)["active"] is True

    def test_the_answer_is_what_the_psp_wants_to_read(
        self, world: World, psp: NotifyingPsp
    ) -> None:
        about(psp, start(world), reply={"orderNotificationType": "IPNCHANGE", "status": 200})
        assert notify(world).json == {"orderNotificationType": "IPNCHANGE", "status": 200}
        about(psp, "pay_0", reply={"status": 200})
        assert notify(world).json == {"status": 200}  # also of what is none of ours
        about(psp, "pay_0")
        assert notify(world).json == {"received": True}

    def test_what_was_sent_is_kept_sealed(self, world: World, psp: NotifyingPsp) -> None:
        about(psp, start(world))
        notify(world, query="note=s3cret-words")
        ((payload,),) = world.rows("SELECT payload FROM inbox")
        assert b"s3cret-words" not in bytes(payload)

    def test_of_the_other_mode_it_is_refused(self, world: World, psp: NotifyingPsp) -> None:
        about(psp, start(world), livemode=True)
        assert notify(world).json["code"] == "wrong_mode"
        assert inbox(world) == 0


class TestUnnumbered:
    def test_each_arrival_is_an_event(self, world: World, psp: NotifyingPsp) -> None:
        about(psp, start(world))
        for _ in range(3):
            assert notify(world).status == 200
            world.pass_time(seconds=1)
        assert (len(psp.fetches), inbox(world)) == (3, 3)

    def test_the_psp_is_asked_once_a_second_about_a_payment(
        self, world: World, psp: NotifyingPsp
    ) -> None:
        first, second = start(world), start(world, key="k-2")
        for payment_id in (first, second):
            about(psp, payment_id)
            assert [notify(world).status for _ in range(5)] == [200] * 5
        assert psp.fetches == [f"ref_{first}", f"ref_{second}"]
        assert inbox(world) == 2

    def test_a_psp_that_cannot_tell_is_told_to_come_again(
        self, world: World, psp: NotifyingPsp
    ) -> None:
        payment_id = start(world)
        about(psp, payment_id)
        psp.on_fetch, psp.status = down, SUCCEEDED
        assert notify(world).status == 503
        psp.on_fetch = lambda _: None
        world.pass_time(seconds=1)
        assert notify(world).status == 200
        assert status_of(world, payment_id) == "succeeded"

    def test_a_numbered_one_counts_once_however_often_it_comes(
        self, world: World, psp: NotifyingPsp
    ) -> None:
        about(psp, start(world), event_id="evt_1")
        for _ in range(3):
            notify(world)
            world.pass_time(seconds=5)
        assert (len(psp.fetches), inbox(world)) == (1, 1)


class TestNames:
    """The PSP's own names of a payment, by which it speaks of it later."""

    @pytest.fixture
    def payment_id(self, world: World, psp: NotifyingPsp) -> str:
        payment_id = start(world)
        about(psp, payment_id)
        psp.status = SUCCEEDED
        notify(world)
        psp.fetches.clear()
        world.pass_time(seconds=1)
        return payment_id

    @pytest.mark.parametrize("names", [("intent_{}",), ("of-nobody", "intent_{}"), ("ref_{}",)])
    def test_each_of_them_finds_it_without_the_psp(
        self,
        world: World,
        psp: NotifyingPsp,
        payment_id: str,
        names: tuple[str, ...],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        references = tuple(name.format(payment_id) for name in names)
        psp.hint = Hint(None, "reversed", False, None, None, references)
        assert notify(world).status == 200
        assert psp.fetches == [f"ref_{payment_id}"]
        assert (psp.finds, inbox(world)) == ([], 2)

    def test_those_of_another_psp_are_not_its(
        self, world: World, psp: NotifyingPsp, payment_id: str
    ) -> None:
        psp.hint = Hint("evt_1", "x", False, None, None, (f"intent_{payment_id}",))
        assert notify(world, path="/paypal/s3cret-path").status == 200
        assert (psp.fetches, inbox(world)) == ([], 1)


class TestStrays:
    @pytest.mark.parametrize(
        "hint",
        [
            OF_NOTHING,
            Hint(None, "ipn", False, None, "ref_nobody", ("intent_nobody",)),
            Hint(None, "ipn", False, "pay_0199c1", "ref_nobody"),
            Hint(None, "ipn", False, "' OR 1=1", None),
        ],
    )
    def test_are_dropped_and_nobody_is_asked(
        self, world: World, psp: NotifyingPsp, hint: Hint
    ) -> None:
        start(world)
        psp.hint = hint
        before = everything(world)
        assert notify(world).status == 200
        assert (everything(world), psp.fetches, psp.finds) == (before, [], [])

    def test_too_many_are_refused_for_a_while(self, world: World, psp: NotifyingPsp) -> None:
        payment_id = start(world)
        psp.hint = Hint(None, "ipn", False, None, "ref_nobody")
        said = [notify(world).status for _ in range(strays.MAX_PER_WINDOW + 2)]
        assert said == [200] * strays.MAX_PER_WINDOW + [429] * 2
        about(psp, payment_id)
        refused = notify(world)
        assert (refused.status, refused.headers["retry-after"]) == (429, "60")
        assert notify(world, path="/paypal/s3cret-path").status == 200  # each PSP has its own
        lifetime = world.context.cache._ask("PTTL", "strays:pesapal")
        assert isinstance(lifetime, int) and 0 < lifetime <= 60_000

    def test_signed_ones_are_not_counted(self, world: World, psp: NotifyingPsp) -> None:
        for number in range(strays.MAX_PER_WINDOW + 2):
            psp.hint = Hint(f"evt_{number}", "x", False, None, "ref_nobody")
            assert notify(world).status == 200
        about(psp, start(world))
        assert notify(world).status == 200

    def test_without_redis_none_is_refused(self, world: World, psp: NotifyingPsp) -> None:
        context = world.new_context(redis_url="redis://127.0.0.1:1/0")
        psp.hint = Hint(None, "ipn", False, None, "ref_nobody")
        for _ in range(strays.MAX_PER_WINDOW + 2):
            assert notify(world, context=context).status == 200
        context.database.close()
