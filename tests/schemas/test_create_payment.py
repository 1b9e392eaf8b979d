"""What CreatePayment takes, and what it refuses by the field's name."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from tollgate.domain.errors import InvalidFields, MalformedBody
from tollgate.domain.money import MAX_AMOUNT_MINOR
from tollgate.http.fields import parse_body
from tollgate.http.request import Request
from tollgate.schemas.payments import CreatePayment

AMOUNT = {"client_id": "client-1", "amount": 150_000, "currency": "KES"}
PLAN = {"client_id": "client-1", "plan": "monthly"}


def parse(body: Any) -> CreatePayment:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_body(CreatePayment, Request("POST", "", {}, {}, raw))


def refused_paths(body: Any) -> list[str]:
    with pytest.raises(InvalidFields) as refused:
        parse(body)
    return [error.path for error in refused.value.errors]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"amount": 1},
        {"amount": MAX_AMOUNT_MINOR},
        {"currency": "UGX"},
        {"psp": "stripe"},
        {"description": "x" * 255},
        {"description": "Karibu, Åsa ✓ 月"},
        {"return_url": "https://shop.example/back?order=7#x", "cancel_url": "http://localhost:1/"},
        {"customer": {"email": "a@b.c", "phone": "+254700000001", "name": "Ann"}},
        {"customer": {}},
        {"method": "card", "capture": "automatic", "save_method": False},
        {"capture": "manual"},
        *({"method": method} for method in ("mpesa", "airtel", "equitel", "paypal")),
        {"page": "embedded", "save_method": True},
        {"off_session": True, "page": "hosted", "save_method": False, "method": None},
        {"metadata": {f"key-{number}": "x" * 255 for number in range(20)}},
        {"metadata": {"x" * 40: "y"}},
        {"plan": None, "description": None},
    ],
)
def test_takes_an_amount(more: dict[str, Any]) -> None:
    sent = AMOUNT | more
    parsed = parse(sent).model_dump(exclude_unset=True)
    assert parsed == sent


def test_takes_a_plan_with_or_without_a_currency() -> None:
    assert (parse(PLAN).plan, parse(PLAN).amount, parse(PLAN).currency) == ("monthly", None, None)
    assert parse(PLAN | {"currency": "USD"}).currency == "USD"


@pytest.mark.parametrize(
    "amount",
    [
        *(True, False, 1.0, 1.5, 150_000.0, "150000", "", None, [], [1], {}, {"amount": 1}),
        *(0, -1, -(10**30), MAX_AMOUNT_MINOR + 1, 2**63, 10**300),
    ],
    ids=lambda amount: repr(amount)[:30],
)
def test_an_amount_is_a_whole_number_in_range(amount: object) -> None:
    assert refused_paths(AMOUNT | {"amount": amount}) in (["amount"], [""])


@pytest.mark.parametrize(
    "text",
    [
        *(b"NaN", b"Infinity", b"-Infinity", b"1e400", b"1E3", b"1.", b"01", b"+1", b"0x10"),
        *(b"1_000", b"9" * 5_000, b"-" + b"9" * 5_000, b"1e5", b"150000.0000"),
    ],
    ids=lambda text: repr(text)[:20],
)
def test_an_amount_is_not_spelled_otherwise(text: bytes) -> None:
    body = b'{"client_id": "client-1", "currency": "KES", "amount": ' + text + b"}"
    with pytest.raises((InvalidFields, MalformedBody)):
        parse(body)


def test_the_model_is_strict_wherever_it_is_used() -> None:
    for amount in (True, "150000", 150_000.0):
        with pytest.raises(ValidationError):
            CreatePayment.model_validate(AMOUNT | {"amount": amount})


@pytest.mark.parametrize(
    "currency",
    [
        *("kes", "Kes", "KE", "KESS", "", " KES", "KES ", "KES\n", "XXX", "XTS", "BTC", "K\u0415S"),
        *(None, 404, True, ["KES"], {"code": "KES"}),
    ],
    ids=repr,
)
def test_a_currency_is_one_in_circulation(currency: object) -> None:
    assert refused_paths(AMOUNT | {"currency": currency}) in (["currency"], [""])


HOSTILE = ("a\x00b", "a\nb", "a\r\nb", "a\tb", "\x1b[2J", "a\x7fb", "a\u2028b", "a\u202eb", "")


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 3_000, 5, True, ["x"], {"x": "y"}], ids=repr)
def test_no_text_holds_what_is_not_one_line_of_text(text: object) -> None:
    for name in ("client_id", "plan", "psp", "description", "return_url", "cancel_url"):
        body = (PLAN if name == "plan" else AMOUNT) | {name: text}
        assert refused_paths(body) == [name], name
    for name in ("email", "phone", "name"):
        assert refused_paths(AMOUNT | {"customer": {name: text}}) == [f"customer.{name}"]
    assert refused_paths(AMOUNT | {"metadata": {"k": text}}) == ["metadata.k"]


@pytest.mark.parametrize("key", [*HOSTILE, "x" * 41])
def test_no_name_in_metadata_holds_it_either(key: str) -> None:
    [path] = refused_paths(AMOUNT | {"metadata": {key: "v"}})
    assert path.startswith("metadata.")
    assert path.isprintable()


@pytest.mark.parametrize("body", [b'{"client_id": "\\ud800", "plan": "monthly"}', b'{"\xff": 1}'])
def test_text_is_unicode(body: bytes) -> None:
    with pytest.raises((InvalidFields, MalformedBody)):
        parse(body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("plan", "Monthly"),
        ("plan", "-monthly"),
        ("plan", "a/b"),
        ("return_url", "ftp://shop.example/"),
        ("return_url", "javascript:alert(1)"),
        ("return_url", "//shop.example/"),
        ("return_url", "https://shop.example/a b"),
        ("cancel_url", "shop.example"),
        ("method", "bank"),
        ("capture", "later"),
        ("capture", None),
        ("save_method", "yes"),
        ("off_session", 1),
        ("page", "elsewhere"),
        ("metadata", {str(number): "x" for number in range(21)}),
        ("metadata", {"nested": {"a": "b"}}),
        ("metadata", [["a", "b"]]),
        ("customer", "ann@example.com"),
    ],
)
def test_refuses(field: str, value: object) -> None:
    paths = refused_paths((PLAN if field == "plan" else AMOUNT) | {field: value})
    assert [path.split(".")[0] for path in paths] == [field]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("email", ["ann", "ann@", "@shop", "a@b@c", "a b@c", "x" * 253 + "@b"]),
        ("phone", ["0700000001", "+0700000001", "+254", "+254 700 000 001", "+2547000000012345"]),
    ],
)
def test_refuses_of_the_customer(field: str, values: list[str]) -> None:
    for value in values:
        assert refused_paths(AMOUNT | {"customer": {field: value}}) == [f"customer.{field}"]


@pytest.mark.parametrize(
    "name", ["app_id", "status", "livemode", "id", "Amount", "amount ", "amount_minor", "__class__"]
)
def test_refuses_fields_that_it_does_not_know(name: str) -> None:
    assert refused_paths(AMOUNT | {name: 1}) == [name]
    assert refused_paths(AMOUNT | {"customer": {name: 1}}) == [f"customer.{name}"]


@pytest.mark.parametrize(
    "body",
    [
        PLAN | {"amount": 1},
        PLAN | {"amount": 1, "currency": "KES"},
        {"client_id": "client-1"},
        {"client_id": "client-1", "amount": 1},
        {"client_id": "client-1", "currency": "KES"},
    ],
)
def test_there_is_exactly_one_price(body: dict[str, Any]) -> None:
    assert refused_paths(body) == [""]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"5", b"{}"])
def test_a_body_is_an_object_with_a_client(body: bytes) -> None:
    assert refused_paths(body) in ([""], ["client_id"])


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"{",
            b'{"amount": 1,}',
            b"{'amount': 1}",
            b"\xff",
            b"\x00",
            b"{} {}",
            b"[" * 100_000,
        ),
        b'{"metadata": ' * 20_000,
    ],
    ids=lambda body: repr(body)[:20],
)
def test_what_is_not_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse(body)


def test_a_refusal_never_repeats_a_value() -> None:
    secret = "4242424242424242"
    for name in ("amount", "currency", "return_url", "customer", "metadata", "psp"):
        with pytest.raises(InvalidFields) as refused:
            parse(AMOUNT | {name: [secret]})
        assert secret not in repr(refused.value.errors) + repr(refused.value)


def test_names_at_most_twenty_fields() -> None:
    assert len(refused_paths(AMOUNT | {f"field_{number}": 1 for number in range(50)})) == 20
