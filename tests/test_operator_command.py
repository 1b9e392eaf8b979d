"""`python -m tollgate`: what an operator types, what it prints, and what it leaves behind."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.world import Stores, World
from tollgate.commands import main
from tollgate.domain.keyring import Keyring
from tollgate.operations.context import real_time
from tollgate.storage import admissions

SHARED = Path(__file__).parent.parent / "shared"
PLAN = ("--code", "weekly", "--product", "lite", "--price", "KES=9900")


def run(
    stores: Stores | None, *words: str, mode: str | None = "test", url: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """One command, as an operator's shell runs it."""
    given = {
        "DATABASE_URL": url or (stores.owner_url if stores else None),
        "TOLLGATE_MODE": mode,
        "PYTHONPATH": str(SHARED),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": os.environ["PATH"],
        "LOGNAME": "amina",
    }
    return subprocess.run(
        [sys.executable, "-m", "tollgate", *words],
        env={name: value for name, value in given.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def made(stores: Stores, *words: str, mode: str = "test") -> str:
    """What a command that succeeds prints: one line."""
    result = run(stores, *words, mode=mode)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    return result.stdout.strip()


def refused(result: "subprocess.CompletedProcess[str]", code: int) -> str:
    """What a command that fails says; nothing was made."""
    assert "Traceback" not in result.stderr, result.stderr
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr.strip()
    return result.stderr


def audited(world: World, action: str) -> list[tuple[object, ...]]:
    return world.rows(
        "SELECT app_id, actor, object_id FROM audit_log WHERE action = %s ORDER BY id", action
    )


def check_status(world: World, key: str) -> int:
    return world.call("subscriptions/check", method="GET", path="/c", key=key).status


class TestMaking:
    def test_an_app_with_a_plan_and_a_key_that_works(self, world: World) -> None:
        origins = ("--origin", "https://a.example", "--origin", "https://b.example:8443")
        app = made(world.stores, "app", "create", "--name", "Soko", "--currency", "KES", *origins)
        every = ("--every", "week", "--count", "2", "--trial-days", "3", "--grace-days", "1")
        prices = ("--price", "USD=120")
        code = made(world.stores, "plan", "create", "--app", app, *PLAN, *every, *prices)
        key = made(world.stores, "key", "create", "--app", app)

        assert world.rows(
            "SELECT name, default_psp, return_origins FROM apps WHERE id = %s", app
        ) == [("Soko", "stripe", ["https://a.example", "https://b.example:8443"])]
        assert world.rows(
            """SELECT code, product, interval_unit, interval_count, trial_days, grace_days
               FROM plans WHERE app_id = %s""",
            app,
        ) == [("weekly", "lite", "week", 2, 3, 1)]
        assert world.rows(
            "SELECT currency, amount_minor FROM plan_prices WHERE app_id = %s ORDER BY 1", app
        ) == [("KES", 9900), ("USD", 120)]

        body = {"client_id": "c", "plan": code}
        subscription = world.call("subscriptions/create", body=body, key=key)
        assert (subscription.status, subscription.json["status"]) == (201, "trialing")
        for action, what in (("app", app), ("plan", "weekly"), ("key", key.split("_")[2])):
            assert (app, "operator:amina", what) in audited(world, f"{action}.created")

    def test_a_key_of_an_operator(self, world: World) -> None:
        key = made(world.stores, "key", "create", "--admin")
        assert key.startswith("tg_test_")
        assert check_status(world, key) == 403
        assert audited(world, "key.created")[-1] == (None, "operator:amina", key.split("_")[2])

    def test_a_key_of_the_other_mode_is_not_made(self, world: World) -> None:
        words = ("key", "create", "--app", world.app.id)
        refused(run(world.stores, *words, mode="live"), 1)
        assert world.rows("SELECT DISTINCT livemode FROM api_keys") == [(False,)]

    def test_each_key_is_another_and_only_its_hash_is_kept(self, world: World) -> None:
        keys = [made(world.stores, "key", "create", "--app", world.app.id) for _ in range(2)]
        assert keys[0] != keys[1]
        for key in keys:
            secret = key.split("_")[3]
            for table in ("api_keys", "audit_log"):
                kept = world.rows(f"SELECT t::text FROM {table} t")
                assert kept and secret not in repr(kept)

    def test_a_revoked_key_is_refused(self, world: World) -> None:
        key = made(world.stores, "key", "create", "--app", world.app.id)
        key_id = key.split("_")[2]
        assert check_status(world, key) == 200
        assert made(world.stores, "key", "revoke", "--id", key_id) == "revoked"
        admissions.forget()
        world.context.cache._ask("DEL", f"key:{key_id}")  # a minute later
        world.now = real_time()
        assert check_status(world, key) == 401
        assert audited(world, "key.revoked") == [(world.app.id, "operator:amina", key_id)]
        again = refused(run(world.stores, "key", "revoke", "--id", key_id), 1)
        assert "no living key" in again
        assert len(audited(world, "key.revoked")) == 1


class TestArguments:
    @pytest.mark.parametrize(
        ("words", "says"),
        [
            ((), "app | plan | key | subscription | payment | refund | customer | secret | ledger"),
            (("shop",), "shop"),
            (("app",), "create"),
            (("app", "create", "--name", "a"), "--currency"),
            (("app", "create", "--name", "a", "--currency", "kes"), "--currency"),
            (("app", "create", "--name", "a", "--currency", "KES", "--psp", "x"), "--psp"),
            (("key", "create"), "--app --admin"),
            (("key", "create", "--app", "app_1", "--admin"), "not allowed"),
            (("key", "revoke"), "--id"),
            (("audit", "verify", "--head", "app_1=2"), "CHAIN=POSITION:HASH"),
            (("plan", "create", "--app", "app_1", "--code", "a", "--product", "b"), "--price"),
            (("plan", "create", "--app", "app_1", *PLAN, "--every", "hour"), "--every"),
            (("plan", "create", "--app", "app_1", *PLAN, "--count", "x"), "--count"),
            *(
                (("plan", "create", "--app", "app_1", *PLAN, "--price", price), "MINOR_UNITS")
                for price in ("KES", "KES=", "KES=-1", "KES=1.5", "kes=1", "XXX=1", "KES=²", "=1")
            ),
        ],
    )
    def test_that_are_wrong_show_how(
        self,
        words: tuple[str, ...],
        says: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["tollgate", *words])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        assert (end.value.code, printed.out) == (2, "")
        assert "usage: tollgate" in printed.err and says in printed.err

    def test_a_shell_sees_the_exit_code(self) -> None:
        assert "usage: tollgate" in refused(run(None, "app"), 2)

    def test_help_needs_no_setting(self) -> None:
        result = run(None, "--help", mode=None)
        assert result.returncode == 0
        assert "key create --admin" in result.stdout


class TestSettings:
    WORDS = ("key", "create", "--admin")

    def test_no_database_is_named(self) -> None:
        assert "DATABASE_URL is missing" in refused(run(None, *self.WORDS), 1)

    @pytest.mark.parametrize(("mode", "says"), [(None, "is missing"), ("prod", "test or live")])
    def test_no_mode(self, stores: Stores, mode: str | None, says: str) -> None:
        said = refused(run(stores, *self.WORDS, mode=mode), 1)
        assert "TOLLGATE_MODE" in said and says in said

    def test_the_database_is_down(self) -> None:
        url = "postgresql://somebody:s3cret@127.0.0.1:1/nowhere"
        assert "s3cret" not in refused(run(None, *self.WORDS, url=url), 1)

    @pytest.mark.parametrize("url", ["s3cret", "postgresql://a:s3cret@h/d?no_such_option=1"])
    def test_the_database_url_is_none(self, url: str) -> None:
        assert "s3cret" not in refused(run(None, *self.WORDS, url=url), 1)

    def test_a_login_that_may_not(self, world: World) -> None:
        with psycopg.connect(world.stores.owner_url) as owner:
            owner.execute("REVOKE INSERT ON api_keys FROM tollgate_service")
        result = run(None, *self.WORDS, url=world.stores.service_url)
        assert world.stores.service_url not in refused(result, 1)


class TestWhatTheDatabaseRefuses:
    """A message for whoever typed it, not the story of a crash."""

    @pytest.mark.parametrize(
        "words",
        [
            ("key", "create", "--app", "app_unknown"),
            ("plan", "create", "--app", "app_unknown", *PLAN),
            ("plan", "create", "--app", "APP", *PLAN, "--code", "monthly"),
            ("plan", "create", "--app", "APP", *PLAN, "--price", "KES=1"),
            ("plan", "create", "--app", "APP", *PLAN, "--code", "Not A Code"),
            ("plan", "create", "--app", "APP", *PLAN, "--count", "0"),
            ("plan", "create", "--app", "APP", *PLAN, "--count", str(10**12)),
            ("plan", "create", "--app", "APP", *PLAN, "--price", f"USD={10**20}"),
            ("app", "create", "--name", "", "--currency", "KES"),
        ],
        ids=" ".join,
    )
    def test_is_told(self, world: World, words: tuple[str, ...]) -> None:
        tables = ("apps", "plans", "plan_prices", "api_keys", "audit_log")
        before = [world.rows(f"SELECT count(*) FROM {table}") for table in tables]
        filled = [world.app.id if word == "APP" else word for word in words]
        result = run(world.stores, *filled)
        assert result.returncode in (1, 2)
        refused(result, result.returncode)
        assert [world.rows(f"SELECT count(*) FROM {table}") for table in tables] == before

    @pytest.mark.parametrize(
        "origin",
        [
            "shop.example",
            "https://shop.example/",
            "https://shop.example/path",
            "javascript:alert(1)",
            "",
        ],
    )
    def test_an_origin_that_no_return_url_can_have(self, world: World, origin: str) -> None:
        words = ("app", "create", "--name", "a", "--currency", "KES", "--origin", origin)
        result = run(world.stores, *words)
        assert result.returncode in (1, 2)
        refused(result, result.returncode)


class TestSecrets:
    def test_a_new_one_fits_into_a_ring_and_needs_no_database(self) -> None:
        result = run(None, "secret", "new", "--id", "2026a", mode=None)
        assert result.returncode == 0
        ring = Keyring.parse(result.stdout.strip())
        assert (ring.current_id, len(ring.current)) == ("2026a", 32)
        again = run(None, "secret", "new", "--id", "2026b", mode=None).stdout.strip()
        assert list(Keyring.parse(f"{again},{result.stdout.strip()}").keys) == ["2026b", "2026a"]

    @pytest.mark.parametrize("key_id", ["", "a,b", "a:b", "x" * 17, "é"])
    def test_an_id_that_no_ring_takes(self, key_id: str) -> None:
        assert "1 to 16 letters" in refused(run(None, "secret", "new", "--id", key_id), 2)

    def test_fields_are_sealed_anew_and_found(
        self, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        request = {"client_id": "c", "plan": "monthly", "customer": {"email": "c@shop.example"}}
        payment = world.call("payments/create", body=request, headers={"idempotency-key": "k"})
        old = base64.urlsafe_b64encode(b"f" * 32).decode()
        new = base64.urlsafe_b64encode(b"n" * 32).decode()
        monkeypatch.setenv("DATABASE_URL", world.stores.owner_url)
        monkeypatch.setenv("TOLLGATE_MODE", "test")
        capsys.readouterr()
        for ring, words, said in (
            (f"f2:{new},f1:{old}", ("secret", "reseal"), "Every field is sealed"),
            (f"f2:{new}", ("secret", "reseal"), "Every field is sealed"),
            (f"f2:{new}", self.find(world), f'"payment_id": "{payment.json["id"]}"'),
        ):
            monkeypatch.setenv("FIELD_KEYS", ring)
            monkeypatch.setattr(sys, "argv", ["tollgate", *words])
            assert main() == 0
            assert said in capsys.readouterr().out
        monkeypatch.setenv("FIELD_KEYS", f"f1:{old}")
        monkeypatch.setattr(sys, "argv", ["tollgate", "secret", "reseal"])
        assert main() == 1
        assert f"payments {payment.json['id']}" in capsys.readouterr().err
        assert "FIELD_KEYS" in refused(run(world.stores, "secret", "reseal"), 1)

    @staticmethod
    def find(world: World) -> tuple[str, ...]:
        return ("customer", "find", "--app", world.app.id, "--email", "c@shop.example")


class TestAudit:
    """What whoever keeps the heads elsewhere sees."""

    def test_a_whole_log_tells_heads_that_stay_in_it(self, world: World) -> None:
        first = run(world.stores, "audit", "verify")
        assert first.returncode == 0
        noted = first.stdout.splitlines()
        assert [head.partition("=")[0] for head in noted] == [
            "operators",
            *sorted(app.id for app in world.seed.apps),
        ]
        made(world.stores, "key", "create", "--app", world.app.id)
        again = run(world.stores, "audit", "verify", *self.heads(noted))
        assert again.returncode == 0
        assert again.stdout.splitlines() != noted
        assert "operators: 1 links are whole" in again.stderr

    def test_each_broken_chain_is_named(self, world: World) -> None:
        noted = run(world.stores, "audit", "verify").stdout.splitlines()
        digest = "0" * 64
        lost = f"{world.other_app.id}=1:{digest}"
        with psycopg.connect(world.stores.owner_url) as owner:
            owner.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
            changed = owner.execute(
                """UPDATE audit_log SET actor = 'nobody' WHERE object_id = %s
                   AND action = 'app.created' RETURNING id""",
                (world.app.id,),
            ).fetchall()
        result = run(world.stores, "audit", "verify", *self.heads([*noted, lost]))
        said = refused(result, 1)
        ((audit_id,),) = changed
        place = f"position 1, audit row {audit_id}"
        assert f"{world.app.id}: {place}: the audit row or its hash was changed" in said
        assert f"{world.other_app.id}: position 1: the head that was noted is not in" in said
        assert digest not in said

    @staticmethod
    def heads(noted: list[str]) -> list[str]:
        return [word for head in noted for word in ("--head", head)]
