"""What an entitlement says. It never outlives the access that it tells of."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest

from tollgate.domain.entitlement import LIFETIME, access_ends_at, entitlement_claims
from tollgate.domain.subscription import NEVER_SUBSCRIBED, Dates, access

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)
SECONDS = 1_769_850_000
TICK = timedelta(microseconds=1)
ISSUER = "https://tollgate.example/live"
ENDS = [
    field.name
    for field in fields(Dates)
    if field.default is None and "plan" not in field.name and field.name != "resumes_at"
]
"""What can end an access; a pause that is over has been written into the dates (Dates.at)."""


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def dates(**ends: float) -> Dates:
    """Dates by their distance in seconds, such as dates(paid_through=900)."""
    instants: dict[str, Any] = {name: after(seconds) for name, seconds in ends.items()}
    return Dates("sub_1", "pro", "monthly", **instants)


def claims(given: Dates, now: datetime = NOW) -> dict[str, Any]:
    return entitlement_claims("app_0199c1", "client_7", access(given, now), now, ISSUER)


def test_says_all_that_an_app_has_to_know() -> None:
    assert claims(dates(paid_through=86_400, grace_until=90_000, cancel_at=86_400)) == {
        "iss": ISSUER,
        "aud": "app_0199c1",
        "sub": "client_7",
        "product": "pro",
        "plan": "monthly",
        "active": True,
        "reason": "canceled_but_paid",
        "paid_through": "2026-02-01T09:00:00Z",
        "iat": SECONDS,
        "exp": SECONDS + 900,
    }


def test_values_are_what_json_holds() -> None:
    kinds = {name: type(value) for name, value in claims(dates(trial_end=60)).items()}
    assert kinds.pop("active") is bool
    assert kinds.pop("paid_through") is type(None)
    assert kinds.pop("iat") is kinds.pop("exp") is int
    assert set(kinds.values()) == {str}


def test_a_trial_has_not_been_paid_for() -> None:
    made = claims(dates(trial_end=60))
    assert (made["reason"], made["paid_through"], made["exp"]) == ("trial", None, SECONDS + 60)


def test_the_plan_is_the_one_in_force() -> None:
    changing = Dates(
        "sub_1", "pro", "monthly", None, after(9_000), next_plan="yearly", next_plan_at=after(60)
    )
    assert claims(changing, after(59))["plan"] == "monthly"
    assert claims(changing, after(60))["plan"] == "yearly"


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (dates(paid_through=899), 899),
        (dates(paid_through=900), 900),
        (dates(paid_through=901), 900),
        (dates(paid_through=9_000, cancel_at=100), 100),
        (dates(paid_through=9_000, paused_at=100), 100),
        (dates(paid_through=9_000, paused_at=200, cancel_at=100), 100),
        (dates(paid_through=100, grace_until=300), 300),
        (dates(paid_through=-100, grace_until=300), 300),
        (dates(trial_end=300, paid_through=100), 300),
        (dates(trial_end=-300, paid_through=100, grace_until=50), 100),
        (dates(paid_through=59.999_999), 59),
        (dates(paid_through=0.000_001), 0),
    ],
)
def test_expires_in_a_quarter_of_an_hour_or_with_the_access(given: Dates, seconds: int) -> None:
    assert claims(given)["exp"] == SECONDS + seconds


def test_instants_within_a_second_are_rounded_down() -> None:
    made = claims(dates(paid_through=9_000), after(0.999_999))
    assert (made["iat"], made["exp"]) == (SECONDS, SECONDS + 900)


def test_another_zone_means_the_same_instants() -> None:
    nairobi = NOW.astimezone(timezone(timedelta(hours=3)))
    assert claims(dates(paid_through=60), nairobi) == claims(dates(paid_through=60))


def random_dates(random: Random) -> Dates:
    """Few instants, so that they meet, some of them a tick off a second."""
    ticks = (0, 0, 0.000_001, -0.000_001, 0.5)
    chosen = {
        name: random.randrange(-3, 9) * 200 + random.choice(ticks)
        for name in ENDS
        if random.random() < 0.5
    }
    return dates(**chosen)


def test_the_end_is_where_access_ends() -> None:
    random, seen = Random(15), {True: 0, False: 0, None: 0}
    assert set(ENDS) >= {"trial_end", "paid_through", "grace_until", "paused_at", "cancel_at"}
    for _ in range(5_000):
        given = random_dates(random)
        end = access_ends_at(given)
        if end is None:
            assert not any(access(given, after(at)).active for at in range(-800, 2_000, 100))
            seen[None] += 1
            continue
        later = [timedelta(seconds=random.choice((0.5, 199, 200, 1_000))) for _ in range(3)]
        assert not any(access(given, end + more).active for more in (0 * TICK, TICK, *later))
        active = access(given, NOW).active
        assert active is (end > NOW)
        if active:
            between = NOW + (end - TICK - NOW) * random.random()
            assert all(access(given, at).active for at in (between, end - TICK))
        seen[active] += 1
    assert min(seen.values()) > 200


def test_an_entitlement_never_outlives_access() -> None:
    random, made = Random(16), 0
    for _ in range(5_000):
        given, now = random_dates(random), after(random.choice((0, 0.25, 0.999_999)))
        if not access(given, now).active:
            continue
        exp = datetime.fromtimestamp(claims(given, now)["exp"], UTC)
        assert exp <= now + LIFETIME
        assert access(given, exp - TICK).active or exp <= now
        second_more = exp + timedelta(seconds=1)  # nor is it shorter than rounding makes it
        assert second_more > now + LIFETIME or not access(given, second_more).active
        made += 1
    assert made > 500


@pytest.mark.parametrize(
    "given", [dates(), dates(paid_through=0), dates(paid_through=9, paused_at=0)]
)
def test_is_made_for_an_active_access_only(given: Dates) -> None:
    with pytest.raises(AssertionError):
        claims(given)
    with pytest.raises(AssertionError):
        entitlement_claims("app_0199c1", "client_7", NEVER_SUBSCRIBED, NOW, ISSUER)
