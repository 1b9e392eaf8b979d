"""Lists of payments: what the caller may see, newest first, a page at a time."""

import base64
from typing import Any
from urllib.parse import quote

import pytest

from tests.callers import token_of
from tests.operations.paying import AMOUNT, PLAN, create, everything, paid
from tests.operators import refusal
from tests.world import Answer, World
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.principal import Role


def listed(world: World, query: str = "", **more: Any) -> Answer:
    return world.call("payments/list", method="GET", query=query, **more)


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [payment["id"] for payment in answer.json["data"]]


def three(world: World) -> list[str]:
    """Three payments a minute apart: the newest first."""
    made = []
    for number, body in enumerate((AMOUNT, PLAN, AMOUNT | {"client_id": "client-2"})):
        made.append(create(world, body, f"k-{number}").json["id"])
        world.pass_time(minutes=1)
    return made[::-1]


class TestFilters:
    def test_without_any_all_are_shown_newest_first(self, world: World) -> None:
        made = three(world)
        answer = listed(world)
        assert ids(answer) == made
        assert (answer.json["object"], answer.json["next_cursor"]) == ("list", None)
        shown = answer.json["data"][0]
        assert shown == world.call("payments/list", method="GET", query="limit=1").json["data"][0]
        assert (shown["status"], shown["client_id"]) == ("requires_action", "client-2")

    def test_no_payment_is_a_page_too(self, world: World) -> None:
        assert listed(world).json == {"object": "list", "data": [], "next_cursor": None}

    def test_each_lets_through_what_it_says(self, world: World) -> None:
        newest, middle, oldest = three(world)
        world.psp.status = PaymentStatus.SUCCEEDED
        world.call("payments/get", method="GET", path=f"/{middle}")
        for query, expected in {
            "client_id=client-1": [middle, oldest],
            "client_id=nobody": [],
            "status=succeeded": [middle],
            "status=needs_review": [],
            "psp=stripe": [newest, middle, oldest],
            "created_after=2026-01-31T09:00:00Z": [newest, middle],
            "created_after=2026-01-31T12:01:00%2B03:00": [newest],
            "created_after=2026-02-01T00:00:00Z": [],
            "client_id=client-1&status=requires_action&limit=1": [oldest],
        }.items():
            assert ids(listed(world, query)) == expected, query

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("client_id=", "client_id"),
            ("client_id=a/b", "client_id"),
            ("client_id=a%00", "client_id"),
            ("status=paid", "status"),
            ("status=", "status"),
            ("status=SUCCEEDED", "status"),
            ("psp=nobody", "psp"),
            ("created_after=yesterday", "created_after"),
            ("created_after=1700000000", "created_after"),
            ("created_after=2026-01-31", "created_after"),
            ("created_after=9999-12-31T23:59:59-12:00", "created_after"),
            ("created_after=2026-01-31T09:00:00", "created_after"),
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=-1", "limit"),
            ("limit=1.0", "limit"),
            ("limit=%C2%B2", "limit"),
            ("app_id=app_1", "query"),
            ("livemode=true", "query"),
        ],
    )
    def test_one_that_cannot_be_is_named(self, world: World, query: str, field: str) -> None:
        assert refusal(listed(world, query)) == (422, "invalid_fields", [field])

    def test_all_that_are_wrong_are_named(self, world: World) -> None:
        answer = listed(world, "client_id=a%20b&status=x&psp=y&created_after=z")
        assert refusal(answer)[2] == ["client_id", "status", "psp", "created_after"]


class TestPages:
    def test_follow_each_other_without_a_gap(self, world: World) -> None:
        made = three(world)
        found, query = [], "limit=1"
        for _ in made:
            page = listed(world, query)
            found += ids(page)
            cursor = page.json["next_cursor"]
            query = f"limit=1&cursor={cursor}"
        assert (found, cursor) == (made, None)

    def test_stay_where_they_are_while_payments_are_made(self, world: World) -> None:
        _, middle, oldest = three(world)
        cursor = listed(world, "limit=1").json["next_cursor"]
        create(world, key="k-late")
        assert ids(listed(world, f"limit=2&cursor={cursor}")) == [middle, oldest]

    def test_a_cursor_keeps_to_the_filter(self, world: World) -> None:
        _, _, oldest = three(world)
        cursor = listed(world, "limit=1&client_id=client-1").json["next_cursor"]
        assert ids(listed(world, f"client_id=client-1&cursor={cursor}")) == [oldest]

    @pytest.mark.parametrize(
        "cursor",
        ["", "x", "====", "%00", "a b", "caf\u00e9", base64.urlsafe_b64encode(b"\xff\xfe").decode()]
        + [base64.urlsafe_b64encode(text).decode() for text in (b"", b"a\0b", b"a\nb", b"x" * 257)],
    )
    def test_a_cursor_that_was_edited_is_refused(self, world: World, cursor: str) -> None:
        three(world)
        before = everything(world)
        answer = listed(world, f"cursor={quote(cursor)}")
        assert refusal(answer) == (422, "invalid_fields", ["cursor"])
        assert everything(world) == before

    @pytest.mark.parametrize("text", ["' OR '1'='1", "%", "app_1", "pay_", "zzz", "sub_0", "~"])
    def test_a_cursor_that_was_made_up_opens_nothing(self, world: World, text: str) -> None:
        made = three(world)
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        answer = listed(world, f"cursor={cursor}")
        assert answer.status in (200, 422)
        if answer.status == 200:
            assert set(ids(answer)) <= set(made)


class TestWhoSees:
    def test_an_app_its_own_whoever_gave_the_cursor(self, world: World) -> None:
        made = three(world)
        other = world.other_app.key
        foreign = world.call(
            "payments/create", body=AMOUNT, headers={"idempotency-key": "k-1"}, key=other
        ).json["id"]
        cursor = listed(world, "limit=1").json["next_cursor"]
        assert ids(listed(world, key=other)) == [foreign]
        assert ids(listed(world, f"cursor={cursor}", key=other)) == []
        assert foreign not in ids(listed(world))
        assert sorted(ids(listed(world, key=world.seed.admin_key))) == sorted([*made, foreign])

    def test_a_client_none(self, world: World) -> None:
        paid(world)
        token = token_of(world, world.app.key, Role.CLIENT, "client-1")
        assert listed(world, key=token).status == 403
