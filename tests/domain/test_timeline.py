"""What an app sees of the audit log: what happened, and who did it as far as it may know."""

import pytest

from tests.domain.psp_words import NOW
from tollgate.domain.audit import AuditRow
from tollgate.domain.timeline import Moment, moment


def row(actor: str, action: str = "payment.succeeded") -> AuditRow:
    return AuditRow(NOW, actor, action, "pay_1", {"status": "pending"}, {"status": "succeeded"})


@pytest.mark.parametrize(
    ("actor", "by"),
    [
        ("webhook:stripe", "psp"),
        ("reader", "tollgate"),
        ("reconcile", "tollgate"),
        ("operator:amina", "operator"),
        ("app:app_1:key_1", "app"),
        ("key:0123456789abcdef", "app"),
        ("webhook", "app"),
    ],
)
def test_who_did_it(actor: str, by: str) -> None:
    assert moment(row(actor)) == Moment(NOW, "payment.succeeded", "pay_1", by)


def test_a_review_is_an_operators_whoever_keyed_it_in() -> None:
    assert moment(row("key:0123456789abcdef", "payment.review_accepted")).by == "operator"
    assert moment(row("key:0123456789abcdef", "payment.reviewed")).by == "app"


def test_no_key_and_no_amount_is_told() -> None:
    assert "0123456789abcdef" not in repr(moment(row("key:0123456789abcdef")))
