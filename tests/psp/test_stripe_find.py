"""Finding a payment by our own reference: None is said only when everything was read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from tests.psp.stripe_values import intent, listed, own_intent, paid_session, session
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import PaymentStatus
from tollgate.psp.stripe.adapter import CAPABILITIES, FIND_PAGES_MAX, Stripe
from tollgate.settings import Settings

CREATED_AT = datetime(2026, 9, 21, 12, 0, 0, 500_000, tzinfo=UTC)
OTHERS = tuple(session(id=f"cs_{n}", metadata={"payment_id": f"pay_x{n}"}) for n in range(3))
OTHER_INTENTS = tuple(intent(id=f"pi_{n}", metadata={"payment_id": f"p{n}"}) for n in range(7, 10))

Answers = list[httpx.Response | Exception]


def page(*found: Any, has_more: bool = False) -> httpx.Response:
    return httpx.Response(200, json=listed(*found, has_more=has_more))


def find(settings: Settings, *answers: httpx.Response | Exception) -> tuple[Any, list[Any]]:
    """What is found in these pages, and the lists that were asked for, with their queries."""
    rest = list(answers)
    asked: list[tuple[str, dict[str, str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path.rpartition("/")[2], dict(request.url.params)))
        said = rest.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    with respx.mock(assert_all_called=False) as stripe:
        stripe.get(path="/v1/checkout/sessions/cs_test_1").respond(json=paid_session())
        stripe.get(path="/v1/payment_intents/pi_1").respond(json=own_intent())
        stripe.get(path__in=("/v1/checkout/sessions", "/v1/payment_intents")).mock(
            side_effect=answer
        )
        found = Stripe(settings).find("pay_1", CREATED_AT)
    return found, asked


def test_reads_the_first_minutes_and_then_the_rest_of_a_day(settings: Settings) -> None:
    found, asked = find(settings, page(*OTHERS), page(*OTHER_INTENTS), page(), page())
    assert found is None
    at = int(CREATED_AT.timestamp())
    first = {"created[gte]": str(at - 60), "created[lte]": str(at + 600), "limit": "100"}
    rest = {"created[gte]": str(at + 600), "created[lte]": str(at + 86_400), "limit": "100"}
    assert asked == [
        ("sessions", first),
        ("payment_intents", first),
        ("sessions", rest),
        ("payment_intents", rest),
    ]


def test_a_session_is_read_whole_once_it_is_found(settings: Settings) -> None:
    found, asked = find(settings, page(*OTHERS, session(payment_intent="pi_1")))
    assert isinstance(found, Outcome)
    assert (found.status, found.psp_reference) == (PaymentStatus.SUCCEEDED, "cs_test_1")
    assert len(asked) == 1


def test_an_intent_without_a_session_is_read_whole(settings: Settings) -> None:
    found, asked = find(settings, page(*OTHERS), page(*OTHER_INTENTS, own_intent()))
    assert isinstance(found, Outcome)
    assert (found.status, found.psp_reference) == (PaymentStatus.REQUIRES_ACTION, "pi_1")
    assert len(asked) == 2


def test_the_session_is_ours_and_not_its_intent(settings: Settings) -> None:
    """Both have our reference; whoever finds the intent first must not take it for a payment."""
    found, _ = find(settings, page(session(payment_intent="pi_1")), page(intent()))
    assert found.psp_reference == "cs_test_1"


def test_a_session_of_a_later_attempt_is_found(settings: Settings) -> None:
    found, asked = find(
        settings, page(), page(), page(*OTHERS, has_more=True), page(session(payment_intent=None))
    )
    assert found is not None
    assert [query.get("starting_after") for _, query in asked] == [None, None, None, "cs_2"]


@pytest.mark.parametrize("reference", ["pay_10", "PAY_1", None, 5, ["pay_1"]])
def test_what_is_of_another_payment_is_not_it(settings: Settings, reference: object) -> None:
    metadata = {"payment_id": reference}
    sessions, intents = page(session(metadata=metadata)), page(intent(metadata=metadata))
    assert find(settings, sessions, intents, sessions, intents)[0] is None


UNREADABLE: list[httpx.Response | Exception] = [
    httpx.ReadTimeout("slow"),
    httpx.ConnectError("refused"),
    httpx.Response(500),
    httpx.Response(429, json={}),
    httpx.Response(200, json=[]),
    httpx.Response(200, json={"data": []}),
    httpx.Response(200, json={"data": [], "has_more": None}),
    httpx.Response(200, json={"data": [], "has_more": True}),
    httpx.Response(200, json={"data": [5], "has_more": False}),
    httpx.Response(200, text="<html>"),
]


@pytest.mark.parametrize("answer", UNREADABLE, ids=repr)
@pytest.mark.parametrize(
    "before", [[], [page()], [page(), page()], [page(), page(), page(*OTHERS, has_more=True)]]
)
def test_a_page_that_can_not_be_read_is_no_no(
    settings: Settings, before: Answers, answer: httpx.Response | Exception
) -> None:
    with pytest.raises(PspUnavailable):
        find(settings, *before, answer)


def test_more_than_can_be_read_is_no_no(settings: Settings) -> None:
    endless = [page(*OTHERS, has_more=True) for _ in range(FIND_PAGES_MAX)]
    with pytest.raises(PspUnavailable):
        find(settings, *endless)
    found, asked = find(settings, *endless[:-1], page(*OTHERS), page(), page(), page())
    assert (found, len(asked)) == (None, FIND_PAGES_MAX + 3)


def test_the_keys_are_known_for_less_long_than_is_looked_for() -> None:
    assert timedelta(0) < timedelta(hours=CAPABILITIES.idempotency_hours) < timedelta(hours=24)


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("../refunds?x=\n", b"/v1/checkout/sessions/..%2Frefunds%3Fx%3D%0A"),
        ("pi_/../x", b"/v1/payment_intents/pi_%2F..%2Fx"),
    ],
)
def test_a_reference_stays_within_its_place(
    settings: Settings, reference: str, path: bytes
) -> None:
    with respx.mock:
        route = respx.get().respond(json=session())
        Stripe(settings).fetch(reference)
        asked = route.calls.last.request.url.raw_path
    assert asked.partition(b"?")[0] == path
