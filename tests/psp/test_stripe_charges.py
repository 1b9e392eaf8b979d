"""Reading what became of a paid charge: its fee, its refunds, its disputes."""

from typing import Any

import httpx
import pytest
import respx

from tests.psp.stripe_values import charge, dispute, intent, listed, paid_session, refund
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.outcome import DisputeOutcome, Outcome, RefundOutcome
from tollgate.domain.payment import Failure
from tollgate.domain.refund import RefundStatus
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings


def says(settings: Settings, subject: dict[str, Any], *disputes: dict[str, Any]) -> Outcome:
    """What the adapter makes of a paid session with this charge and these disputes."""
    with respx.mock(assert_all_called=False) as stripe:
        body = paid_session(payment_intent=intent(latest_charge=subject))
        stripe.get(path="/v1/checkout/sessions/cs_test_1").respond(json=body)
        asked = stripe.get(path="/v1/disputes")
        asked.respond(json=listed(*disputes))
        outcome = Stripe(settings).fetch("cs_test_1")
        assert asked.called == (subject.get("disputed") is not False)
        return outcome


def with_refunds(*refunds: dict[str, Any], **more: Any) -> dict[str, Any]:
    return charge(refunds=listed(*refunds), **more)


@pytest.mark.parametrize(
    ("entry", "fee"),
    [
        ({"currency": "usd", "fee": 64}, Money(64, "USD")),
        ({"currency": "ugx", "fee": 500}, Money(5, "UGX")),
        ({"currency": "kes", "fee": 0}, Money(0, "KES")),
        ({"currency": "new", "fee": 64}, None),
        ("txn_1", None),
        (None, None),
    ],
)
def test_the_fee_is_in_the_currency_of_the_balance(
    settings: Settings, entry: object, fee: Money | None
) -> None:
    assert says(settings, charge(balance_transaction=entry)).fee == fee


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"status": "succeeded"}, RefundStatus.SUCCEEDED, None),
        ({"status": "pending"}, RefundStatus.PENDING, None),
        ({"status": "requires_action"}, RefundStatus.PENDING, None),
        ({"status": "a_new_word"}, RefundStatus.PENDING, None),
        ({"status": None}, RefundStatus.PENDING, None),
        ({"status": "canceled"}, RefundStatus.FAILED, "canceled"),
        (
            {"status": "failed", "failure_reason": "lost_or_stolen_card"},
            RefundStatus.FAILED,
            "lost_or_stolen_card",
        ),
    ],
)
def test_a_refund_has_our_reference_and_our_words(
    settings: Settings, said: dict[str, Any], status: RefundStatus, code: str | None
) -> None:
    failure = Failure(code, "The money did not go back.") if code else None
    expected = RefundOutcome("re_1", "ref_1", Money(50_000, "KES"), status, failure)
    assert says(settings, with_refunds(refund(**said))).refunds == (expected,)


@pytest.mark.parametrize("metadata", [None, {}, {"refund_id": ""}, {"refund_id": 5}, {"x": "y"}])
def test_a_refund_made_at_stripe_has_no_reference_of_ours(
    settings: Settings, metadata: object
) -> None:
    (read,) = says(settings, with_refunds(refund(metadata=metadata))).refunds
    assert (read.psp_reference, read.refund_id) == ("re_1", None)


RELEASE: dict[str, Any] = {"id": "re_0", "balance_transaction": None, "metadata": {}}


def test_what_a_partial_capture_lets_go_is_no_refund(settings: Settings) -> None:
    release, real = refund(**RELEASE), refund()
    outcome = says(settings, with_refunds(real, release, amount_captured=100_000))
    assert [one.psp_reference for one in outcome.refunds] == ["re_1"]


@pytest.mark.parametrize(
    "real",
    [
        {"balance_transaction": "txn_2"},
        {"metadata": {"refund_id": "ref_1"}},
        {"status": "pending"},
        {"status": "failed", "failure_reason": "declined"},
    ],
)
def test_a_refund_of_a_partial_capture_is_one(settings: Settings, real: dict[str, Any]) -> None:
    subject = with_refunds(refund(**RELEASE | real), amount_captured=100_000)
    assert len(says(settings, subject).refunds) == 1


def test_without_a_partial_capture_nothing_was_let_go(settings: Settings) -> None:
    assert len(says(settings, with_refunds(refund(**RELEASE))).refunds) == 1


@pytest.mark.parametrize("shown", [listed(refund(id="re_9"), has_more=True), None])
def test_more_refunds_than_are_shown_are_listed(settings: Settings, shown: object) -> None:
    pages = [
        listed(refund(id="re_9"), refund(id="re_8"), has_more=True),
        listed(refund(id="re_7")),
    ]
    body = paid_session(payment_intent=intent(latest_charge=charge(refunds=shown)))
    with respx.mock:
        respx.get(path="/v1/checkout/sessions/cs_test_1").respond(json=body)
        route = respx.get(path="/v1/refunds")
        route.side_effect = [httpx.Response(200, json=page) for page in pages]
        read = Stripe(settings).fetch("cs_test_1").refunds
        asked = [dict(call.request.url.params) for call in route.calls]
    assert [one.psp_reference for one in read] == ["re_9", "re_8", "re_7"]
    first = {"charge": "ch_1", "limit": "100"}
    assert asked == [first, first | {"starting_after": "re_8"}]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("needs_response", DisputeStatus.OPEN),
        ("under_review", DisputeStatus.OPEN),
        ("appeal_needs_response", DisputeStatus.OPEN),
        ("appeal_under_review", DisputeStatus.OPEN),
        ("a_new_word", DisputeStatus.OPEN),
        ("won", DisputeStatus.WON),
        ("prevented", DisputeStatus.WON),
        ("lost", DisputeStatus.LOST),
    ],
)
def test_a_dispute_is_open_until_stripe_says_who_won(
    settings: Settings, word: str, status: DisputeStatus
) -> None:
    outcome = says(settings, charge(disputed=True), dispute(status=word, amount=140_000))
    assert outcome.disputes == (DisputeOutcome("dp_1", Money(140_000, "KES"), status),)


@pytest.mark.parametrize("word", ["needs_response", "under_review", "closed", "a_new_word"])
def test_an_inquiry_takes_no_money(settings: Settings, word: str) -> None:
    inquiry = dispute(id="dp_0", status=f"warning_{word}")
    outcome = says(settings, charge(disputed=True), dispute(), inquiry)
    assert [one.psp_reference for one in outcome.disputes] == ["dp_1"]


ODD_REFUNDS: list[dict[str, Any]] = [
    *({"amount": odd} for odd in (None, "50000", 1.5, True, -1)),
    *({"currency": odd} for odd in (None, 5, "new")),
    *({"id": odd} for odd in (None, "", "re\n1", 5)),
    {"status": []},
    {"status": "failed", "failure_reason": ["x"]},
]
ODD_CHARGES: list[dict[str, Any]] = [
    *(with_refunds(refund(**odd)) for odd in ODD_REFUNDS),
    charge(refunds={"data": [5], "has_more": False}),
    charge(refunds={"data": [], "has_more": None}),
    charge(refunds={"has_more": False}),
    charge(refunds={"data": None, "has_more": False}),
    charge(balance_transaction={}),
    charge(balance_transaction={"fee": "64", "currency": "usd"}),
    charge(balance_transaction={"fee": 64, "currency": None}),
    {name: value for name, value in charge().items() if name != "disputed"},
]


@pytest.mark.parametrize("subject", ODD_CHARGES, ids=lambda subject: repr(subject)[-60:])
def test_what_is_no_charge_is_an_error(settings: Settings, subject: dict[str, Any]) -> None:
    with pytest.raises(PspUnavailable), respx.mock(assert_all_called=False) as stripe:
        body = paid_session(payment_intent=intent(latest_charge=subject))
        stripe.get(path="/v1/checkout/sessions/cs_test_1").respond(json=body)
        stripe.get(path="/v1/refunds").respond(json={})
        Stripe(settings).fetch("cs_test_1")


@pytest.mark.parametrize(
    "page",
    [
        [],
        {},
        {"data": []},
        {"data": [], "has_more": None},
        {"data": [], "has_more": "false"},
        {"data": [], "has_more": True},
        {"data": [{}], "has_more": True},
        {"data": 5, "has_more": False},
        {"data": ["dp_1"], "has_more": False},
        listed(dispute(status=None)),
        listed(dispute(status=5)),
        listed(dispute(amount="150000")),
    ],
    ids=repr,
)
def test_what_is_no_list_of_disputes_is_an_error(settings: Settings, page: object) -> None:
    with pytest.raises(PspUnavailable), respx.mock:
        body = paid_session(payment_intent=intent(latest_charge=charge(disputed=True)))
        respx.get(path="/v1/checkout/sessions/cs_test_1").respond(json=body)
        respx.get(path="/v1/disputes").respond(json=page)
        Stripe(settings).fetch("cs_test_1")
