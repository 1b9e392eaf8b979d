"""Stories of clients who change their plan: up, down, for a credit, for a charge, or later."""

from tests.journeys.stories.conftest import Begin


def test_up_for_a_credit_and_down_again(begin: Begin) -> None:
    with begin("2027-03-01 09:00") as story:
        story.plan("silver", 150_000)
        story.plan("gold", 300_000)
        client = story.client("client-credit")
        client.pays("silver")
        story.until("2027-03-16 21:00")
        client.changes_to("gold", "credit")
        client.is_("paid", "2027-03-24 15:00", plan="gold")  # 15.5 days of silver, 7.75 of gold
        client.changes_to("silver", "credit")
        client.is_("paid", "2027-04-01 09:00", plan="silver")
        story.until("2027-04-01 09:00")
        client.is_("expired", "2027-04-01 09:00")
        assert story.taken() == {"KES": 150_000}


def test_up_for_what_is_missing(begin: Begin) -> None:
    with begin("2027-03-01 09:00") as story:
        story.plan("silver", 150_000)
        story.plan("gold", 300_000)
        away, there = story.client("client-away"), story.client("client-there")
        away.pays("silver", save_method=True)
        there.pays("silver")
        story.until("2027-03-16 21:00")
        away.changes_to("gold", "charge_now")
        away.is_("paid", "2027-04-16 21:00", plan="gold")  # its card was charged
        there.changes_to("gold", "charge_now")
        there.is_("paid", "2027-04-01 09:00", plan="silver")
        there.pays_link("card")
        there.is_("paid", "2027-04-16 21:00", plan="gold")  # it paid the difference itself
        story.until("2027-05-01 21:00")
        away.is_("paid", "2027-05-16 21:00", plan="gold")
        there.is_("expired", "2027-04-16 21:00", plan="gold")
        assert story.taken() == {"KES": 2 * (150_000 + 225_000) + 300_000}


def test_down_when_the_paid_time_ends(begin: Begin) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("silver", 150_000)
        story.plan("gold", 300_000)
        client = story.client("client-down")
        client.pays("gold", save_method=True)
        story.until("2027-02-10 09:00")
        client.changes_to("silver", "none")
        client.is_("paid", "2027-02-28 09:00", plan="gold")
        story.until("2027-02-27 21:00")
        client.is_("paid", "2027-03-31 09:00", plan="gold")  # silver is paid for, and comes next
        story.until("2027-02-28 09:00")
        client.is_("paid", "2027-03-31 09:00", plan="silver")
        story.until("2027-05-01 09:00")
        client.is_("paid", "2027-05-31 09:00", plan="silver")
        assert story.taken() == {"KES": 300_000 + 3 * 150_000}
