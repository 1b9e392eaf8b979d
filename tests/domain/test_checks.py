"""When a payment that is not settled is looked at again."""

from datetime import timedelta

import pytest

from tests.domain.psp_words import NOW, payment
from tollgate.domain.checks import LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS, next_check
from tollgate.domain.payment import OPEN, PaymentStatus

SOON, TOMORROW = NOW + timedelta(seconds=60), NOW + timedelta(days=1)


@pytest.mark.parametrize("status", PaymentStatus)
def test_what_is_open_is_looked_at_soon_and_a_dispute_tomorrow(status: PaymentStatus) -> None:
    expected = {PaymentStatus.DISPUTED: TOMORROW}.get(status)
    assert next_check(payment(status), NOW) == (SOON if status in OPEN else expected)


@pytest.mark.parametrize("status", PaymentStatus)
def test_a_refund_that_is_under_way_is_looked_for_soon(status: PaymentStatus) -> None:
    assert next_check(payment(status), NOW, look_again=True) == SOON


def test_the_pause_grows_to_an_hour() -> None:
    assert (SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS) == (60, 3600)
