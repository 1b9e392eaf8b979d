"""Stories of money that goes back: refunds by the plan's rule, disputes that are lost or won."""

import pytest

from tests.journeys.stories.conftest import Begin
from tests.journeys.stories.story import QUIET


def test_a_refund_takes_the_time_it_paid_for(begin: Begin) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("gold", 150_000)
        client = story.client("client-refunded")
        client.pays("gold")
        story.until("2027-02-10 09:00")
        early = client.pays("gold")
        client.is_("paid", "2027-03-31 09:00")
        client.is_refunded(early)
        client.is_("paid", "2027-02-28 09:00")
        story.until("2027-02-28 09:00")
        client.is_("expired", "2027-02-28 09:00")
        story.until("2027-03-15 09:00")
        last = client.pays("gold")
        story.until("2027-03-20 09:00")
        client.is_refunded(last, 50_000)
        client.is_("paid", "2027-04-15 09:00")  # a part changes nothing
        client.is_refunded(last)
        client.is_("refunded", "2027-03-20 09:00")
        assert story.taken() == {"KES": 150_000}


@pytest.mark.parametrize(
    ("rule", "reason"), [("period_end", "canceled_but_paid"), ("never", "paid")]
)
def test_a_refund_by_a_milder_rule(begin: Begin, rule: str, reason: str) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("gold", 150_000, refund_rule=rule)
        client = story.client("client-lucky")
        payment_id = client.pays("gold", save_method=True)
        story.until("2027-02-10 09:00")
        client.is_refunded(payment_id)
        client.is_(reason, "2027-02-28 09:00")
        story.until("2027-03-10 09:00")
        if rule == "never":
            client.is_("paid", "2027-03-31 09:00")
        else:
            client.is_("expired", "2027-02-28 09:00")
        assert story.taken() == ({"KES": 150_000} if rule == "never" else {})


def test_a_dispute_is_lost(begin: Begin) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("gold", 150_000)
        client = story.client("client-disputes")
        payment_id = client.pays("gold")
        story.until("2027-02-10 09:00")
        client.goes_through_with(payment_id, "dispute")
        client.is_("disputed", "2027-02-10 09:00")
        story.until("2027-04-20 09:00", QUIET)
        story.bank_decides("lose")
        client.is_("disputed", "2027-02-10 09:00")
        client.pays("gold")
        client.is_("paid", "2027-05-20 09:00")


def test_a_dispute_is_won(begin: Begin) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("gold", 150_000)
        client = story.client("client-wins")
        payment_id = client.pays("gold")
        story.until("2027-02-10 09:00")
        client.goes_through_with(payment_id, "dispute")
        client.is_("disputed", "2027-02-10 09:00")
        story.until("2027-04-20 09:00", QUIET)
        story.bank_decides("win")
        client.is_("paid", "2027-05-08 09:00")  # the 18 days that were taken
        story.until("2027-05-08 09:00")
        client.is_("expired", "2027-05-08 09:00")
        assert story.taken() == {"KES": 150_000}
