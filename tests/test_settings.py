"""What the environment must hold, and what is said when it doesn't."""

import pytest

from tollgate.domain.errors import Misconfigured
from tollgate.settings import OperatorSettings, Settings

COMPLETE = {
    "TOLLGATE_MODE": "test",
    "DATABASE_URL": "postgresql://somebody:s3cret@db.example/tollgate",
    "REDIS_URL": "rediss://:s3cret@redis.example",
    "CACHE_SECRET": "s3cret",
    "TOLLGATE_URL": "https://functions.example/api/v1/web/fn-1/",
}
OPTIONAL = {
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
        stripe_secret_key="sk_test_s3cret",
        stripe_webhook_secret="whsec_s3cret",
        stripe_api_url="http://127.0.0.1:1",
    )


@pytest.mark.usefixtures("environment")
def test_a_psps_settings_may_be_missing() -> None:
    settings = Settings.from_environment()
    assert settings.stripe_secret_key is None
    assert settings.stripe_webhook_secret is None
    assert settings.stripe_api_url is None


@pytest.mark.parametrize(("mode", "livemode"), [("test", False), ("live", True)])
def test_the_mode_says_whether_money_moves(
    environment: pytest.MonkeyPatch, mode: str, livemode: bool
) -> None:
    environment.setenv("TOLLGATE_MODE", mode)
    assert Settings.from_environment().livemode is livemode
    assert OperatorSettings.from_environment().livemode is livemode


@pytest.mark.parametrize("mode", ["Live", "LIVE", "production", "true", " live", "test\n"])
def test_another_mode_is_refused(environment: pytest.MonkeyPatch, mode: str) -> None:
    environment.setenv("TOLLGATE_MODE", mode)
    for settings in (Settings, OperatorSettings):
        with pytest.raises(Misconfigured, match="must be test or live"):
            settings.from_environment()


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
    for unneeded in ("REDIS_URL", "CACHE_SECRET", "TOLLGATE_URL"):
        environment.delenv(unneeded)
    settings = OperatorSettings.from_environment()
    assert settings == OperatorSettings(livemode=False, database_url=COMPLETE["DATABASE_URL"])
    environment.delenv(name)
    with pytest.raises(Misconfigured, match=f"{name} is missing"):
        OperatorSettings.from_environment()
