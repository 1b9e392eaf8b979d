"""How a PSP's word moves a payment: first until it is paid, then its refunds and disputes."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tollgate.domain.card_numbers import mask_card_numbers
from tollgate.domain.dispute import DISPUTE_EDGES, Dispute
from tollgate.domain.money import Money
from tollgate.domain.outcome import DisputeOutcome, Outcome, RefundOutcome
from tollgate.domain.payment import EDGES, UNPAID, Failure, Payment, PaymentStatus
from tollgate.domain.refund import REFUND_EDGES, Refund, RefundStatus

NewId = Callable[[str], str]
"""Makes an id with this prefix."""


def mismatch(payment: Payment, outcome: Outcome) -> Failure | None:
    """What in the PSP's answer is not what was asked, or None when all of it agrees.

    Where money is or may be, a fact that the PSP did not state counts as wrong.
    """
    if outcome.status is PaymentStatus.NEEDS_REVIEW:
        return outcome.failure  # the PSP says itself that something is wrong
    silence_is_fine = outcome.status in UNPAID | {PaymentStatus.REQUIRES_ACTION}
    asked_minor = payment.money.amount_minor
    if outcome.status is PaymentStatus.SUCCEEDED and payment.capture_amount_minor is not None:
        asked_minor = payment.capture_amount_minor
    checks = (
        ("reference", payment.id, outcome.reference),
        ("livemode", payment.livemode, outcome.livemode),
        ("amount", asked_minor, outcome.money and outcome.money.amount_minor),
        ("currency", payment.money.currency, outcome.money and outcome.money.currency),
    )
    for name, asked, said in checks:
        if asked != said and not (said is None and silence_is_fine):
            return Failure(f"{name}_mismatch", f"The PSP's {name} is not what was asked.")
    return None


def apply(payment: Payment, outcome: Outcome, now: datetime) -> Payment:
    """The payment after the PSP's word; the same object when the word changes nothing.

    News that no edge leads to (late, replayed, out of order) changes nothing. An answer that does
    not match what was asked is for an operator to look at, and gives no access; only an operator
    ends that: a later answer that does match does not undo it. What is paid stays paid: see
    `follow_up`.
    """
    if outcome.status is PaymentStatus.NEEDS_REVIEW:
        return _flagged(payment, outcome, now)
    if (
        outcome.status is PaymentStatus.PENDING
        or payment.status is PaymentStatus.NEEDS_REVIEW
        or payment.is_paid
    ):
        return payment
    failure = mismatch(payment, outcome)
    if failure and payment.review == _told(outcome):
        return payment  # an operator has decided about these very words
    status = PaymentStatus.NEEDS_REVIEW if failure else _as_asked(payment, outcome.status, now)
    if status is payment.status or status not in EDGES[payment.status]:
        return payment
    paid = status is PaymentStatus.SUCCEEDED and outcome.money is not None
    return replace(
        payment,
        status=status,
        amount_captured_minor=outcome.money.amount_minor if paid and outcome.money else 0,
        fee=outcome.fee if paid else None,
        psp_reference=payment.psp_reference or outcome.psp_reference,
        method=outcome.method or payment.method,
        next_action=outcome.next_action if status is PaymentStatus.REQUIRES_ACTION else None,
        failure=failure or _without_card_number(outcome.failure),
        review=_told(outcome) if failure else None,
        expires_at=outcome.expires_at or payment.expires_at,
        updated_at=now,
    )


def _flagged(payment: Payment, outcome: Outcome, now: datetime) -> Payment:
    """For an operator to look at, paid or not; once somebody has decided about these very words,
    they change nothing."""
    known, told = payment.review or {}, _told(outcome)
    only_claimed = outcome.money is None  # which says nothing against what was paid
    if (
        payment.status is PaymentStatus.NEEDS_REVIEW
        or known.items() >= told.items()
        or (payment.is_paid and only_claimed)
    ):
        return payment
    return replace(
        payment,
        status=PaymentStatus.NEEDS_REVIEW,
        psp_reference=payment.psp_reference or outcome.psp_reference,
        next_action=None,
        failure=_without_card_number(outcome.failure),
        review={**known, **told},
        updated_at=now,
    )


def _as_asked(payment: Payment, said: PaymentStatus, now: datetime) -> PaymentStatus:
    """A page that was closed because the app asked for it did not just run out of time; one that
    we closed after its time did, whatever the PSP calls it."""
    asked = payment.cancel_asked_at is not None
    if said is PaymentStatus.EXPIRED and asked:
        return PaymentStatus.CANCELED
    if said is PaymentStatus.CANCELED and not asked and now >= payment.expires_at:
        return PaymentStatus.EXPIRED
    return said


def _without_card_number(failure: Failure | None) -> Failure | None:
    """A PSP's message may repeat what the client typed; no card number is ever stored."""
    return failure and replace(failure, message=mask_card_numbers(failure.message))


def _told(outcome: Outcome) -> dict[str, object]:
    """What the PSP said, for the operator who has to decide."""
    told: dict[str, object] = {
        "status": outcome.status,
        "reference": outcome.reference,
        "livemode": outcome.livemode,
        "amount": outcome.money and outcome.money.amount_minor,
        "currency": outcome.money and outcome.money.currency,
    }
    if outcome.status is PaymentStatus.NEEDS_REVIEW and outcome.failure is not None:
        told |= {"problem": outcome.failure.code, "psp_reference": outcome.psp_reference}
    if outcome.refunds or outcome.disputes:
        told["refunds_and_disputes"] = [
            *(_line(refund) for refund in outcome.refunds),
            *(_line(dispute) for dispute in outcome.disputes),
        ]
    return told


def _line(word: RefundOutcome | DisputeOutcome) -> str:
    money = word.money
    told = f"{money.amount_minor} {money.currency}" if money else "amount not told"
    return f"{word.psp_reference}: {word.status}, {told}"


@dataclass(frozen=True)
class FollowUp:
    """A paid payment with all its refunds and disputes. What is unchanged is the same object."""

    payment: Payment
    refunds: tuple[Refund, ...]
    disputes: tuple[Dispute, ...]


def follow_up(known: FollowUp, outcome: Outcome, now: datetime, new_id: NewId) -> FollowUp:
    """What became of a paid payment by the PSP's word, also of refunds nobody asked for here.

    A refund or dispute that can't be of this payment (its currency, its amount, more than was
    taken) is not recorded: the payment is for review. Once somebody has decided about such a word,
    it is not listened to any more. All others count.
    """
    payment = known.payment
    decided = set((payment.review or {}).get("not_believed", ()))
    said = [word for word in outcome.refunds if _line(word) not in decided]
    disputed = [word for word in outcome.disputes if _line(word) not in decided]
    refunds, wrong = _merged_refunds(known, said, now, new_id)
    code = "refund_mismatch" if wrong else "dispute_mismatch"
    wrong += [_line(word) for word in disputed if not _may_be_of(payment, word.money)]
    believed = [word for word in disputed if _may_be_of(payment, word.money)]
    disputes = _merged_disputes(known, believed, now, new_id)
    refunded = refunded_minor(refunds)
    after = replace(
        payment,
        status=paid_status(payment.amount_captured_minor, refunded, disputes),
        amount_refunded_minor=refunded,
        fee=payment.fee or outcome.fee,
    )
    if wrong:
        after = replace(
            after,
            status=PaymentStatus.NEEDS_REVIEW,
            failure=Failure(code, "The PSP tells of money that went back, and it can't be true."),
            review=_told(outcome) | {"not_believed": sorted(decided.union(wrong))},
        )
    if after != payment:
        after = replace(after, updated_at=now)
    return FollowUp(after if after != payment else payment, refunds, disputes)


def paid_status(
    captured_minor: int, refunded_minor: int, disputes: Iterable[Dispute]
) -> PaymentStatus:
    """What a paid payment is, by what became of its money."""
    if any(dispute.has_the_money for dispute in disputes):
        return PaymentStatus.DISPUTED
    if refunded_minor >= captured_minor:
        return PaymentStatus.REFUNDED
    return PaymentStatus.PARTIALLY_REFUNDED if refunded_minor else PaymentStatus.SUCCEEDED


def refunded_minor(refunds: Iterable[Refund]) -> int:
    """What went back, in minor units."""
    return sum(r.money.amount_minor for r in refunds if r.status is RefundStatus.SUCCEEDED)


def refund_after(
    refund: Refund, status: RefundStatus, failure: Failure | None, now: datetime
) -> Refund:
    """The refund in another state, if an edge leads there; else the same object."""
    if status not in REFUND_EDGES[refund.status]:
        return refund
    failure = _without_card_number(failure) if status is RefundStatus.FAILED else None
    return replace(refund, status=status, failure=failure, updated_at=now)


def _merged_refunds(
    known: FollowUp, said: list[RefundOutcome], now: datetime, new_id: NewId
) -> tuple[tuple[Refund, ...], list[str]]:
    """The refunds as the PSP tells them, and those of its words that can't be true."""
    merged, wrong = {refund.id: refund for refund in known.refunds}, list[str]()
    id_of = {refund.psp_reference: refund.id for refund in known.refunds}
    # what failed comes first: only then is there room for what was tried after it
    for word in sorted(said, key=lambda word: word.status is RefundStatus.SUCCEEDED):
        refund = merged.get(id_of.get(word.psp_reference, ""))
        asked = merged.get(word.refund_id or "") or _nameless(merged.values(), word)
        if refund is None and asked is not None and asked.psp_reference is None:
            refund = replace(asked, psp_reference=word.psp_reference, updated_at=now)
        if refund is None and word.money is None and refunded_minor(merged.values()):
            continue  # that some of it went back is known
        money = word.money or (refund.money if refund else known.payment.captured)
        # a second one under our reference is one too many: its own row, its own money
        refund = refund or _refund_made_there(known.payment, word, money, now, new_id)
        refund_now = refund_after(refund, word.status, word.failure, now)
        with_it = {**merged, refund.id: refund_now}
        if (
            refund.money != money
            or not _may_be_of(known.payment, money)
            or money.amount_minor > known.payment.amount_captured_minor
            or refunded_minor(with_it.values()) > known.payment.amount_captured_minor
        ):
            wrong.append(_line(word))
            continue
        merged, id_of[word.psp_reference] = with_it, refund.id
    return tuple(merged.values()), wrong


def _nameless(refunds: Collection[Refund], word: RefundOutcome) -> Refund | None:
    """The refund that was asked for, where the PSP says only that money went back, and not of what
    wish nor how much. Once some of it is known to have gone back, the word may be about that."""
    if word.money is not None or word.refund_id is not None or refunded_minor(refunds):
        return None
    waiting = (r for r in refunds if r.status is RefundStatus.PENDING and r.psp_reference is None)
    return next(waiting, None)


def _may_be_of(payment: Payment, money: Money) -> bool:
    return money.currency == payment.money.currency and money.amount_minor > 0


def _refund_made_there(
    payment: Payment, word: RefundOutcome, money: Money, now: datetime, new_id: NewId
) -> Refund:
    """One that somebody made in the PSP's own pages."""
    return Refund(
        id=new_id("ref"),
        app_id=payment.app_id,
        payment_id=payment.id,
        psp=payment.psp,
        money=money,
        status=word.status,
        version=0,
        created_at=now,
        updated_at=now,
        psp_reference=word.psp_reference,
        failure=_without_card_number(word.failure),
    )


def _merged_disputes(
    known: FollowUp, said: list[DisputeOutcome], now: datetime, new_id: NewId
) -> tuple[Dispute, ...]:
    merged = {dispute.psp_reference: dispute for dispute in known.disputes}
    for word in said:
        dispute = merged.get(word.psp_reference)
        if dispute is None:
            dispute = _new_dispute(known.payment, word, now, new_id)
        elif word.status in DISPUTE_EDGES[dispute.status]:
            dispute = replace(dispute, status=word.status, updated_at=now)
        merged[word.psp_reference] = dispute
    return tuple(merged.values())


def _new_dispute(payment: Payment, word: DisputeOutcome, now: datetime, new_id: NewId) -> Dispute:
    """A bank may take a little more than was paid, by another day's rate: that is not the app's."""
    amount_minor = min(word.money.amount_minor, payment.amount_captured_minor)
    return Dispute(
        id=new_id("dis"),
        app_id=payment.app_id,
        payment_id=payment.id,
        psp=payment.psp,
        psp_reference=word.psp_reference,
        money=Money(amount_minor, word.money.currency),
        status=word.status,
        version=0,
        created_at=now,
        updated_at=now,
    )
