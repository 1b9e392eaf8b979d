"""Ids: a prefix, the time, chance; and what an app may call its client."""

import re
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from pydantic import TypeAdapter, ValidationError

from tollgate.domain.ids import is_client_id, new_id
from tollgate.schemas.fields import ClientId

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)
client_id: TypeAdapter[str] = TypeAdapter(ClientId)


def test_an_id_has_its_prefix_the_time_and_chance() -> None:
    milliseconds = f"{1_769_850_000_000:012x}"
    made = new_id("pay", NOW, lambda count: b"\xab" * count)
    assert made == f"pay_{milliseconds}{'ab' * 10}"


def test_ids_sort_by_time_and_are_of_one_length() -> None:
    random = Random(5)
    instants = [NOW + timedelta(days=days, milliseconds=days) for days in range(0, 36_500, 365)]
    ids = [new_id("pay", instant, random.randbytes) for instant in instants]
    assert ids == sorted(ids)
    assert len({len(each) for each in ids}) == 1
    assert all(re.fullmatch("pay_[0-9a-f]{32}", each) for each in ids)


def test_ids_of_one_instant_differ() -> None:
    random = Random(6)
    assert len({new_id("evt", NOW, random.randbytes) for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize(
    "text", ["c", "client-1", "user@shop.example", "+254700000001", "a:b|c~d=e_f.g", "x" * 128]
)
def test_an_app_may_call_its_client(text: str) -> None:
    assert is_client_id(text)
    assert client_id.validate_python(text) == text


NOT_CLIENT_IDS = (
    *("", "x" * 129, "a/b", "a%2fb", "..\\", "a b", "a?b", "a#b", "a&b", "a'b", "é", "\uff11"),
    *("client-1\n", "\nclient-1", "a\x00b", "a\rb", "a\x7fb", "a\u2028b", "\ud800"),
)


@pytest.mark.parametrize("text", NOT_CLIENT_IDS)
def test_an_app_may_not_call_its_client(text: str) -> None:
    assert not is_client_id(text)
    with pytest.raises(ValidationError):
        client_id.validate_python(text)
