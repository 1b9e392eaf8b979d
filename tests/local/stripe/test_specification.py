"""What the stand-in answers, as Stripe's published specification judges it."""

from typing import Any

import pytest
import stripe

from tests.local.stripe.conftest import STAYS, Bench
from tests.psp.stripe_specification import is_specified, wrong_with_object

# What later versions of the API changed in an object, and the specification does not know.
NEWER_VALUES: dict[str, tuple[str, ...]] = {
    "checkout.session": ("ui_mode",),
}
CLASSES: dict[str, type[stripe.StripeObject]] = {
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "payment_intent": stripe.PaymentIntent,
    "refund": stripe.Refund,
    "balance_transaction": stripe.BalanceTransaction,
}


def check(subject: Any) -> None:
    """Each field is one of Stripe's, now or then; each that was one then is as it was then."""
    name = subject["object"]
    known = set(CLASSES[name].__annotations__)
    assert {field for field in subject if field not in known} <= {
        field for field in subject if is_specified(name, field)
    }
    newer = NEWER_VALUES.get(name, ())
    assert wrong_with_object(name, {k: v for k, v in subject.items() if k not in newer}) == []


def get(bench: Bench, path: str, **query: Any) -> Any:
    key = bench.client._requestor.api_key
    headers = {"Authorization": f"Bearer {key}"}
    return bench.browser.get(f"/v1/{path}", params=query, headers=headers).json()


def objects_of(bench: Bench) -> list[Any]:
    """All that can be listed or read."""
    kinds = ("checkout/sessions", "payment_intents", "charges", "refunds", "disputes")
    found = [one for kind in kinds for one in get(bench, kind, limit=100)["data"]]
    wanted = {"expand[]": "data.balance_transaction"}
    entries = (one["balance_transaction"] for one in get(bench, "charges", **wanted)["data"])
    return [*found, *(entry for entry in entries if entry is not None)]


@pytest.mark.parametrize(
    "story",
    [
        [],
        ["pay"],
        ["decline"],
        ["decline", "pay"],
        ["expire"],
        ["pay", "refund", "dispute"],
        ["pay", "dispute"],
    ],
    ids="-".join,
)
def test_a_session_and_what_became_of_it(bench: Bench, story: list[str]) -> None:
    saving = {"metadata": {"payment_id": "pay_1"}, "setup_future_usage": "off_session"}
    session_id = bench.open_session(
        customer_creation="always",
        customer_email="ann@example.com",
        allowed_payment_method_types=["card"],
        payment_intent_data=saving,
    ).id
    for verb in story:
        bench.happen(f"payments/{session_id}/{verb}")
    for subject in objects_of(bench):
        check(subject)


@pytest.mark.parametrize("verb", ["pay", "decline", "authenticate"])
@pytest.mark.parametrize("capture_method", ["automatic", "manual"])
def test_an_intent_and_what_became_of_it(bench: Bench, verb: str, capture_method: str) -> None:
    customer = bench.client.v1.customers.create({"metadata": {"payment_id": "pay_1"}})
    check(customer.to_dict())
    made: Any = {
        "amount": 150_000,
        "currency": "kes",
        "capture_method": capture_method,
        "customer": customer.id,
        "setup_future_usage": "off_session",
        "description": "Gold",
    }
    intent = bench.client.v1.payment_intents.create(made)
    check(intent.to_dict())
    bench.browser.post(f"/c/intent/{intent.client_secret}/{verb}")
    for subject in objects_of(bench):
        check(subject)
    if capture_method == "manual" or verb != "pay":
        bench.client.v1.payment_intents.cancel(intent.id)
        check(get(bench, f"payment_intents/{intent.id}"))


@pytest.mark.parametrize("said", ["declined", "authentication_required"])
def test_a_decline(bench: Bench, said: str) -> None:
    bench.fault(off_session=said)
    asked: Any = {"amount": 500, "currency": "kes", "payment_method": "pm_card_visa"}
    with pytest.raises(stripe.CardError) as refused:
        bench.client.v1.payment_intents.create(
            asked | {"confirm": True, "off_session": True} | STAYS
        )
    body: Any = refused.value.json_body
    assert wrong_with_object("error", body) == []
    check(body["error"]["payment_intent"])


def test_a_pending_and_a_failed_refund(bench: Bench) -> None:
    bench.fault(pending_refunds=True)
    session_id = bench.open_session().id
    bench.press(session_id, "pay")
    bench.happen(f"payments/{session_id}/refund", amount=100)
    (pending,) = get(bench, "refunds")["data"]
    check(pending)
    bench.happen(f"refunds/{pending['id']}/fail")
    check(get(bench, f"refunds/{pending['id']}"))


def test_what_is_not_as_specified_is_found(bench: Bench) -> None:
    session_id = bench.open_session().id
    session = get(bench, f"checkout/sessions/{session_id}")
    for wrong in ({"made_up": 1}, {"amount_total": "1"}, {"status": "paid"}, {"created": None}):
        with pytest.raises(AssertionError):
            check(session | wrong)
