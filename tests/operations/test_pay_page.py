"""The page behind a pay link: what it shows in each state, and what it never does."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.operations.paying import tell
from tests.operations.test_access import check
from tests.world import Answer, World
from tollgate.crypto.pay_links import sign_link
from tollgate.domain.keyring import Keyring
from tollgate.domain.money import Money
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import Failure, Method, PaymentStatus

PHONE = "+254712345678"


def subscribe(world: World, **more: Any) -> str:
    """A subscription that is to be paid for; its pay link."""
    body = {"client_id": "client-1", "plan": "monthly", **more}
    made = world.call("subscriptions/create", body=body)
    assert made.status == 201
    return str(made.json["pay_url"]).rpartition("/")[2]


def show(world: World, link: str, query: str = "") -> Answer:
    return world.call("payments/pay", method="GET", path=f"/{link}", query=query, key="none")


def hidden_of(world: World, link: str) -> dict[str, str]:
    """The fields of each form that say which amount and which last try its page knows of."""
    sql = """SELECT amount_minor || ' ' || currency,
                    (SELECT id FROM payments WHERE bill_id = bills.id
                     ORDER BY status = 'requires_action' DESC, id DESC LIMIT 1)
             FROM bills WHERE id = %s"""
    found = world.rows(sql, link.partition("~")[0])
    return {"amount": found[0][0], "after": found[0][1] or ""} if found else {}


def post(world: World, link: str, query: str = "", **fields: str) -> Answer:
    """The form, as it stands on the page just now unless `fields` say otherwise."""
    body = urlencode(hidden_of(world, link) | fields).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return world.call(
        "payments/pay", path=f"/{link}", query=query, body=body, headers=headers, key="none"
    )


def payment_ids(world: World) -> list[str]:
    return [row[0] for row in world.rows("SELECT id FROM payments ORDER BY id")]


class _Reader(HTMLParser):
    """Holds a page to be whole: every element is closed, in order."""

    VOID = ("meta", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labelled: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.attributes.append((tag, found))
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "label" and found.get("for"):
            self.labelled.append(str(found["for"]))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read_page(answer: Answer) -> _Reader:
    """The page, which is whole, accessible and quiet about where it came from."""
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    page = _Reader()
    page.feed(answer.body)
    page.close()
    assert not page.open
    assert len(set(page.ids)) == len(page.ids)
    tags = [tag for tag, _ in page.attributes]
    assert tags.count("h1") == 1 and "script" not in tags
    inputs = [attributes for tag, attributes in page.attributes if tag == "input"]
    typed = {a.get("id") for a in inputs if a.get("type") in ("tel", "text", "email")}
    assert typed == set(page.labelled)
    assert len(answer.body.encode()) < 15_000
    return page


class TestWhatIsDue:
    def test_is_shown_with_a_button_for_each_method(self, world: World) -> None:
        answer = show(world, subscribe(world))
        assert answer.status == 200
        read_page(answer)
        assert "KES 1,500.00" in answer.body and "31 January 2026" in answer.body
        assert "pro, 1 month" in answer.body
        for method in Method:
            assert f'name="method" value="{method}"' in answer.body

    def test_speaks_the_clients_language_or_the_one_that_is_asked_for(self, world: World) -> None:
        link = subscribe(world, renewal={"language": "sw"})
        swahili, english = show(world, link), show(world, link, "lang=en")
        read_page(swahili), read_page(english)
        assert '<html lang="sw">' in swahili.body and "31 Januari 2026" in swahili.body
        assert '<html lang="en">' in english.body and "How would you like to pay?" in english.body
        assert '<html lang="sw">' in show(world, link, "lang=xx").body

    def test_tells_nothing_of_the_client_but_three_digits(self, world: World) -> None:
        world.psp.capabilities = replace(world.psp.capabilities, prompts=frozenset({Method.MPESA}))
        customer = {"phone": PHONE, "email": "ann@example.com", "name": "Ann"}
        answer = show(world, subscribe(world, customer=customer))
        assert "678" in answer.body
        for secret in (PHONE, "712345", "ann@example.com", "Ann", "client-1"):
            assert secret not in answer.body


class TestPaying:
    def test_sends_the_client_to_the_psp_and_ends_with_a_receipt(self, world: World) -> None:
        link = subscribe(world)
        sent = post(world, link, method="card")
        (payment_id,) = payment_ids(world)
        assert sent.status == 303
        assert sent.headers["location"].startswith("https://psp.example/")
        waiting = show(world, link)
        read_page(waiting)
        assert 'http-equiv="refresh"' in waiting.body and "Waiting for your payment" in waiting.body
        world.psp.status = PaymentStatus.SUCCEEDED
        assert tell(world, payment_id).status == 200
        receipt = show(world, link)
        read_page(receipt)
        assert payment_id in receipt.body and "28 February 2026" in receipt.body
        assert 'http-equiv="refresh"' not in receipt.body
        assert check(world, "client-1")["active"] is True

    def test_the_page_itself_hears_that_it_is_paid(self, world: World) -> None:
        link = subscribe(world)
        post(world, link, method="card")
        world.psp.status = PaymentStatus.SUCCEEDED
        world.pass_time(seconds=5)
        assert "Thank you, it is paid" in show(world, link).body

    def test_twice_at_once_leaves_one_that_can_be_paid(self, world: World) -> None:
        link = subscribe(world)
        for _ in range(3):
            assert post(world, link, method="card").status == 303
        open_now = world.rows("SELECT count(*) FROM payments WHERE status = 'requires_action'")
        assert open_now == [(1,)]

    def test_a_form_that_is_sent_again_asks_the_phone_once(self, world: World) -> None:
        """A second tap, on a slow line: the first prompt is on the phone, and can be paid yet."""
        world.psp.capabilities = replace(world.psp.capabilities, prompts=frozenset({Method.MPESA}))
        link = subscribe(world, customer={"phone": PHONE})
        form = hidden_of(world, link)
        assert f'name="after" value="{form["after"]}"' in show(world, link).body
        assert post(world, link, method="mpesa", **form).status == 303
        again = post(world, link, method="mpesa", **form)
        assert again.status == 303 and link in again.headers["location"]
        assert len(world.psp.starts) == 1
        (payment_id,) = payment_ids(world)
        assert f'name="after" value="{payment_id}"' in show(world, link, "other=1").body
        assert post(world, link, method="mpesa", after=payment_id).status == 303
        assert len(world.psp.starts) == 2

    def test_a_payment_that_is_being_confirmed_is_not_followed_by_another(
        self, world: World
    ) -> None:
        link = subscribe(world)
        post(world, link, method="card")
        world.psp.status = PaymentStatus.PROCESSING
        again = post(world, link, method="paypal")
        assert again.status == 303 and link in again.headers["location"]
        assert len(payment_ids(world)) == 1
        assert "being confirmed" in show(world, link).body

    def test_a_prompt_says_to_look_at_the_phone(self, world: World) -> None:
        world.psp.capabilities = replace(world.psp.capabilities, prompts=frozenset({Method.MPESA}))
        world.psp.alter = lambda outcome: (
            replace(outcome, next_action={"type": "await_push", "phone": "678"})
            if outcome.status is PaymentStatus.REQUIRES_ACTION
            else outcome
        )
        link = subscribe(world)
        assert post(world, link, method="mpesa", phone="0712 345 678").status == 303
        assert world.psp.starts[-1].customer.phone == PHONE
        page = show(world, link)
        read_page(page)
        assert "Look at your phone" in page.body and "678" in page.body
        assert "712345" not in page.body
        left = show(world, link, "other=1")
        read_page(left)
        assert "Your phone may still ask for your PIN" in left.body

    def test_a_form_for_the_psp_is_one_button(self, world: World) -> None:
        action = {"type": "form_post", "url": "https://psp.example/x", "fields": {"a": '"><b>'}}
        world.psp.alter = lambda outcome: (
            replace(outcome, next_action=action)
            if outcome.status is PaymentStatus.REQUIRES_ACTION
            else outcome
        )
        link = subscribe(world)
        post(world, link, method="equitel")
        page = show(world, link)
        read_page(page)
        assert 'action="https://psp.example/x"' in page.body
        assert 'name="a" value="&quot;&gt;&lt;b&gt;"' in page.body
        read_page(show(world, link, "other=1"))

    def test_a_decline_is_explained_in_plain_words(self, world: World) -> None:
        def declined(outcome: Outcome) -> Outcome:
            failure = Failure("insufficient_funds", "R4w words of the bank")
            return replace(outcome, status=PaymentStatus.FAILED, failure=failure)

        world.psp.alter = declined
        link = subscribe(world)
        post(world, link, method="card")
        page = show(world, link)
        read_page(page)
        assert "There was not enough money" in page.body and "R4w" not in page.body

    @pytest.mark.parametrize("status", [PaymentStatus.CANCELED, PaymentStatus.EXPIRED])
    def test_a_prompt_that_came_to_nothing_is_told(
        self, world: World, status: PaymentStatus
    ) -> None:
        """Jenga says so of a wrong PIN, too: the page must not ask anew without a word."""
        link = subscribe(world)
        post(world, link, method="mpesa")
        world.psp.status = status
        world.pass_time(seconds=5)
        page = show(world, link)
        read_page(page)
        assert "did not go through. Nothing was charged" in page.body
        assert "did not go through" not in show(world, link, "other=1").body

    def test_what_needs_review_is_not_paid_again(self, world: World) -> None:
        link = subscribe(world)
        post(world, link, method="card")
        world.psp.alter = lambda outcome: replace(outcome, money=Money(50_000, "KES"))
        world.psp.status = PaymentStatus.SUCCEEDED
        world.pass_time(seconds=5)
        assert "We are checking your payment" in show(world, link).body
        post(world, link, method="card")
        assert len(payment_ids(world)) == 1


class TestWhatIsRefused:
    def test_links_that_are_forged_old_or_of_nothing(self, world: World) -> None:
        link = subscribe(world)
        bill_id = link.partition("~")[0]
        forged = sign_link(Keyring({"p1": b"x" * 32}), bill_id, world.now.replace(year=2030))
        altered = link.replace("bil_0", "bil_1")
        for wrong in (forged, altered, link[:-1], "x", "%00", "..%2f..", "é" * 300, "~" * 10_000):
            for answer in (show(world, wrong), post(world, wrong, method="card")):
                assert answer.status == 404, wrong
                read_page(answer)
        world.pass_time(days=60)
        assert show(world, link).status == 404
        assert payment_ids(world) == []

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"method": "cash"},
            {"method": "\0"},
            {"method": "mpesa", "phone": "123"},
            {"method": "mpesa", "phone": "4242 4242 4242 4242"},
            {"method": "card", "email": "nobody"},
            {"method": "card", "name": "x" * 5_000},
            {"method": "card", "name": "\x00\u202e"},
        ],
    )
    def test_fields_that_can_not_be(self, world: World, fields: dict[str, str]) -> None:
        answer = post(world, subscribe(world), **fields)
        assert answer.status == 422
        page = read_page(answer)
        assert any(attributes.get("role") == "alert" for _, attributes in page.attributes)
        assert payment_ids(world) == []

    @pytest.mark.parametrize("body", [b"\xff\xfe", b"&" * 5_000, b"method", b"[]"])
    def test_bodies_that_are_no_form(self, world: World, body: bytes) -> None:
        answer = world.call("payments/pay", path=f"/{subscribe(world)}", body=body, key="none")
        assert answer.status == 422
        read_page(answer)

    def test_too_many_tries_in_an_hour(self, world: World) -> None:
        link = subscribe(world)
        statuses = [post(world, link, method="card").status for _ in range(11)]
        assert statuses == [303] * 10 + [429]
        world.pass_time(hours=2)
        assert post(world, link, method="card").status == 303

    def test_a_bill_that_is_moot(self, world: World) -> None:
        link = subscribe(world)
        (subscription_id,) = world.rows("SELECT id FROM subscriptions")[0]
        ended = world.call(
            "subscriptions/cancel", method="PUT", path=f"/{subscription_id}", body={"at": "now"}
        )
        assert ended.status == 200
        assert "nothing to pay" in show(world, link).body
        assert post(world, link, method="card").status == 303
        assert payment_ids(world) == []


def test_no_text_is_in_one_language_only() -> None:
    from tollgate.domain.subscription import Language
    from tollgate.pages.texts import TEXTS

    for name, both in TEXTS.items():
        assert set(both) == set(Language), name
        fields = [sorted(re.findall(r"{(\w+)}", text)) for text in both.values()]
        assert fields[0] == fields[1], name
