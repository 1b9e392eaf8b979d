"""What the environment must hold, and what is said when it doesn't."""

import base64
import os

import pytest

from tollgate.domain.errors import Misconfigured
from tollgate.domain.keyring import Keyring
from tollgate.settings import Settings

SECRET = b"s3cret" + bytes(26)
KEYS = f"k2:{base64.urlsafe_b64encode(SECRET).decode()}"
COMPLETE = {
    "TOLLGATE_MODE": "test",
    "DATABASE_URL": "postgresql://somebody:s3cret@db.example/tollgate",
    "REDIS_URL": "rediss://:s3cret@redis.example",
    "CACHE_SECRET": "s3cret",
    "TOLLGATE_URL": "https://functions.example/api/v1/web/fn-1/",
    "ACCESS_TOKEN_KEYS": KEYS,
}
KEYRINGS = ("ACCESS_TOKEN_KEYS", "ENTITLEMENT_KEYS", "FIELD_KEYS")
OPTIONAL = {
    "ENTITLEMENT_KEYS": KEYS,
    "FIELD_KEYS": KEYS,
    "STRIPE_SECRET_KEY": "sk_test_s3cret",
    "STRIPE_WEBHOOK_SECRET": "whsec_s3cret",
    "STRIPE_API_URL": "http://127.0.0.1:1",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in OPTIONAL:
        monkeypatch.delenv(name, raising=False)
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_reads_all_of_it(environment: pytest.MonkeyPatch) -> None:
    for name, value in OPTIONAL.items():
        environment.setenv(name, value)
    assert Settings.from_environment() == Settings(
        livemode=False,
        database_url=COMPLETE["DATABASE_URL"],
        redis_url=COMPLETE["REDIS_URL"],
        cache_secret=b"s3cret",
        public_url="https://functions.example/api/v1/web/fn-1",
        access_token_keys=Keyring({"k2": SECRET}),
        entitlement_keys=Keyring({"k2": SECRET}),
        field_keys=Keyring({"k2": SECRET}),
        psp_values=dict(os.environ),
    )


@pytest.mark.usefixtures("environment")
def test_what_only_some_functions_have_may_be_missing() -> None:
    settings = Settings.from_environment()
    assert settings.entitlement_keys is None
    assert settings.field_keys is None
    assert settings.find_psp_value("STRIPE_SECRET_KEY") is None
    with pytest.raises(Misconfigured, match="STRIPE_SECRET_KEY"):
        settings.psp_value("STRIPE_SECRET_KEY")


@pytest.mark.parametrize(
    ("value", "read"), [("sk_test_1", "sk_test_1"), ("none", None), ("", None)]
)
def test_a_value_of_a_psp_may_be_left_out(
    environment: pytest.MonkeyPatch, value: str, read: str | None
) -> None:
    environment.setenv("PAYPAL_CLIENT_ID", value)
    assert Settings.from_environment().find_psp_value("PAYPAL_CLIENT_ID") == read


@pytest.mark.parametrize(("mode", "livemode"), [("test", False), ("live", True)])
def test_the_mode_says_whether_money_moves(
    environment: pytest.MonkeyPatch, mode: str, livemode: bool
) -> None:
    environment.setenv("TOLLGATE_MODE", mode)
    assert Settings.from_environment().livemode is livemode
    assert Settings.of_operator().livemode is livemode


@pytest.mark.parametrize("mode", ["Live", "LIVE", "production", "true", " live", "test\n"])
def test_another_mode_is_refused(environment: pytest.MonkeyPatch, mode: str) -> None:
    environment.setenv("TOLLGATE_MODE", mode)
    for read in (Settings.from_environment, Settings.of_operator):
        with pytest.raises(Misconfigured, match="must be test or live"):
            read()


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("empty", [False, True])
def test_a_missing_setting_is_named_without_any_value(
    environment: pytest.MonkeyPatch, name: str, empty: bool
) -> None:
    if empty:
        environment.setenv(name, "")
    else:
        environment.delenv(name)
    with pytest.raises(Misconfigured, match=f"{name} is missing") as refused:
        Settings.from_environment()
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("name", ["DATABASE_URL", "TOLLGATE_MODE"])
def test_the_operator_needs_two(environment: pytest.MonkeyPatch, name: str) -> None:
    for unneeded in COMPLETE.keys() - {"DATABASE_URL", "TOLLGATE_MODE"}:
        environment.delenv(unneeded)
    assert Settings.of_operator() == Settings(
        livemode=False,
        database_url=COMPLETE["DATABASE_URL"],
        redis_url="",
        cache_secret=b"",
        public_url="",
        access_token_keys=Keyring({}),
        psp_values=dict(os.environ),
    )
    environment.delenv(name)
    with pytest.raises(Misconfigured, match=f"{name} is missing"):
        Settings.of_operator()


def test_the_operator_works_on_sealed_fields_with_their_keys(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("FIELD_KEYS", KEYS)
    assert Settings.of_operator().field_keys == Keyring({"k2": SECRET})


@pytest.mark.parametrize("name", KEYRINGS)
def test_the_first_key_of_a_ring_is_the_current_one(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    environment.setenv(name, f"{KEYS.replace('k2', 'k3')},{KEYS}")
    keyring = getattr(Settings.from_environment(), name.lower())
    assert (keyring.current_id, set(keyring.keys)) == ("k3", {"k2", "k3"})


@pytest.mark.parametrize("name", KEYRINGS)
@pytest.mark.parametrize("text", ["s3cret", "k1:s3cret", f"{KEYS},{KEYS}", f" {KEYS[:-4]}", ":"])
def test_a_ring_that_can_t_be_read_is_named_without_any_value(
    environment: pytest.MonkeyPatch, name: str, text: str
) -> None:
    environment.setenv(name, text)
    with pytest.raises(Misconfigured, match=f"{name} can't be read") as refused:
        Settings.from_environment()
    assert "s3cret" not in str(refused.value) and KEYS[3:-4] not in str(refused.value)


@pytest.mark.usefixtures("environment")
def test_no_key_of_a_ring_is_shown() -> None:
    shown = repr(Settings.from_environment().access_token_keys)
    assert "s3cret" not in shown and KEYS[3:] not in shown
