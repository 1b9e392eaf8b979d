"""Reading Stripe's webhooks: only what Stripe signed, and only whom it is about."""

import json
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.psp.conftest import with_values
from tests.psp.stripe_values import charge, dispute, event, intent, refund, session
from tollgate.domain.callback import Callback
from tollgate.domain.errors import Misconfigured, SignatureRefused, WebhookMalformed
from tollgate.domain.outcome import Hint
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)
SECRET = "whsec_of_the_suite"

BOTH = ("pi_1", "ch_1")

# event type, what it is about, our payment's id in it, what `fetch` takes, Stripe's other names
SHAPES: list[tuple[str, dict[str, Any], str | None, str | None, tuple[str, ...]]] = [
    *(
        (f"checkout.session.{what}", session(), "pay_1", "cs_test_1", ())
        for what in ("completed", "expired", "async_payment_succeeded", "async_payment_failed")
    ),
    *(
        (f"payment_intent.{what}", intent(), "pay_1", None, ("pi_1",))
        for what in (
            "succeeded",
            "payment_failed",
            "processing",
            "requires_action",
            "amount_capturable_updated",
            "canceled",
        )
    ),
    ("charge.refunded", charge(), "pay_1", None, ("ch_1", "pi_1")),
    ("charge.refunded", charge(metadata={}), None, None, ("ch_1", "pi_1")),
    ("charge.refunded", charge(payment_intent=None), "pay_1", None, ("ch_1",)),
    *(
        (f"refund.{what}", refund(), "pay_1", None, BOTH)
        for what in ("created", "updated", "failed")
    ),
    ("refund.created", refund(metadata={}), None, None, BOTH),
    ("refund.created", refund(metadata=None, payment_intent=None), None, None, ("ch_1",)),
    ("refund.created", refund(metadata=None, charge=None), None, None, ("pi_1",)),
    *(
        (f"charge.dispute.{what}", dispute(), None, None, BOTH)
        for what in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")
    ),
    ("charge.dispute.created", dispute(payment_intent={"id": "pi_1"}), None, None, BOTH),
    ("charge.dispute.created", dispute(charge=charge()), None, None, BOTH),
    ("setup_intent.succeeded", {"id": "seti_1", "object": "setup_intent"}, None, None, ()),
    ("payment_method.detached", {"id": "pm_1", "metadata": None}, None, None, ()),
    ("a.new.type", {"a_new": "object", "without": "an id"}, None, None, ()),
]


def signed(body: bytes, secret: str = SECRET, at: datetime = NOW) -> dict[str, str]:
    """The headers with which Stripe would send it."""
    timestamp = int(at.timestamp())
    payload = f"{timestamp}.".encode() + body
    signature = stripe.WebhookSignature._compute_signature(payload.decode("latin-1"), secret)
    assert body.isascii()
    return {"stripe-signature": f"t={timestamp},v1={signature}"}


def read(settings: Settings, body: object) -> Hint:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Stripe(settings).read_event(Callback(headers=signed(raw), body=raw), NOW)


@pytest.mark.parametrize(
    ("event_type", "subject", "payment_id", "psp_reference", "references"), SHAPES
)
def test_says_whom_an_event_is_about(
    settings: Settings,
    *,
    event_type: str,
    subject: dict[str, Any],
    payment_id: str | None,
    psp_reference: str | None,
    references: tuple[str, ...],
) -> None:
    for livemode in (False, True):
        body = event(event_type, subject, livemode=livemode)
        hint = Hint("evt_1", event_type, livemode, payment_id, psp_reference, references)
        assert read(settings, body) == hint


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


EVENT = event("checkout.session.completed", session())
ABOUT = EVENT["data"]["object"]
# what stands in an event's fields, as it should not
ODD: dict[str, list[Any]] = {
    "id": [None, 5, [], {}, True, "a\nb", "\ud800", "x" * 256],
    "type": [None, 5, [], "a\x00b", "x" * 256],
    "data": [None, [], "x", 5, {}, {"object": None}, {"object": []}],
}
ODD_ABOUT: dict[str, list[Any]] = {
    "id": [5, ["cs_1"], "cs\n1", "x" * 256],
    "metadata": [["pay_1"], "pay_1", 5, True],
}
ODD_PAYMENT_IDS: list[Any] = [5, ["pay_1"], True, 1.5, {"a": 1}, "pay\r\n1", "\udfff", "x" * 256]
ODD_INTENTS: list[Any] = [5, ["pi_1"], {}, "pi\n1", "x" * 256]
MALFORMED: list[object] = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"5",
    b'"text"',
    b"NaN",
    b"{} {}",
    b"[" * 100_000,
    b'{"data": ' * 50_000,
    b'{"n": ' + b"9" * 5_000 + b"}",
    {},
    *(without(EVENT, name) for name in ("id", "type", "livemode", "data")),
    *(EVENT | {name: odd} for name, values in ODD.items() for odd in values),
    *(event("x", ABOUT | {name: odd}) for name, values in ODD_ABOUT.items() for odd in values),
    *(event("x", ABOUT | {"metadata": {"payment_id": odd}}) for odd in ODD_PAYMENT_IDS),
    event("x", without(ABOUT, "id")),
    *(event("x", dispute(payment_intent=odd)) for odd in ODD_INTENTS),
    *(event("x", dispute(charge=odd)) for odd in ODD_INTENTS),
    event("x", without(intent(), "id")),
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body)[:50])
def test_what_is_no_event_is_refused(settings: Settings, body: object) -> None:
    with pytest.raises(WebhookMalformed):
        read(settings, body)


@pytest.mark.parametrize("body", [b'{"a": NaN}', b'{"a": 1e999}', b'{"a": -Infinity}'])
def test_odd_numbers_are_no_event(settings: Settings, body: bytes) -> None:
    with pytest.raises(WebhookMalformed):
        read(settings, body)


@pytest.mark.parametrize("payment_id", [None, "", 0, False, [], {}], ids=repr)
def test_an_id_that_says_nothing_is_nobodys(settings: Settings, payment_id: object) -> None:
    try:
        hint = read(settings, event("x", ABOUT | {"metadata": {"payment_id": payment_id}}))
    except WebhookMalformed:
        return
    assert hint.payment_id is None or hint.payment_id == ""


@pytest.mark.parametrize("metadata", [None, {}, {"order": "7"}])
def test_an_event_of_something_else_has_no_payment(settings: Settings, metadata: object) -> None:
    assert read(settings, event("x", ABOUT | {"metadata": metadata})).payment_id is None


def test_the_signature_comes_before_the_body(settings: Settings) -> None:
    for body in (b"{", b"", json.dumps(EVENT).encode()):
        for headers in (
            {},
            {"stripe-signature": ""},
            {"stripe-signature": "t=1,v1=00"},
            {"Stripe-Signature": signed(body)["stripe-signature"]},
            signed(body, secret="whsec_other"),
            signed(body + b" "),
            signed(body, at=NOW.replace(hour=11)),
            signed(body, at=NOW.replace(hour=13)),
        ):
            with pytest.raises(SignatureRefused):
                Stripe(settings).read_event(Callback(headers=headers, body=body), NOW)


@pytest.mark.parametrize("secret", ["none", ""])
def test_an_unset_secret_verifies_nothing(settings: Settings, secret: str) -> None:
    body = json.dumps(EVENT).encode()
    adapter = Stripe(with_values(settings, STRIPE_WEBHOOK_SECRET=secret))
    with pytest.raises(Misconfigured, match="STRIPE_WEBHOOK_SECRET"):
        adapter.read_event(Callback(headers=signed(body, secret=secret), body=body), NOW)


def test_a_refusal_repeats_neither_the_secret_nor_the_body(settings: Settings) -> None:
    body = b'{"card": "4242424242424242"'
    for headers in (signed(body), signed(body, secret="whsec_other")):
        with pytest.raises((SignatureRefused, WebhookMalformed)) as raised:
            Stripe(settings).read_event(Callback(headers=headers, body=body), NOW)
        told = "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))
        assert SECRET not in told
        assert "4242" not in told
