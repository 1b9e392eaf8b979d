"""Stories of clients who pay by mobile money, each time themselves: early, late, twice, in part."""

from tests.journeys.stories.conftest import Begin

PROMPTED = {"method": "mpesa", "hour": 12, "time_zone": "Africa/Nairobi"}
"""Noon in Nairobi is nine in UTC."""


def test_early_loses_no_day(begin: Begin) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("gold", 150_000)
        client = story.client("client-early")
        client.pays("gold", "mpesa")
        client.is_("paid", "2027-02-28 09:00")
        story.until("2027-02-18 15:30")
        client.pays("gold", "mpesa")
        client.is_("paid", "2027-03-31 09:00")
        story.until("2027-03-29 21:45")  # the bill is there
        client.pays_link("mpesa")
        client.is_("paid", "2027-04-30 09:00")
        story.until("2027-04-01 09:00")
        client.pays("gold", "mpesa")
        story.until("2027-05-31 09:00")
        client.is_("expired", "2027-05-31 09:00")
        assert client.periods == [
            ("2027-01-31 09:00", "2027-02-28 09:00"),
            ("2027-02-28 09:00", "2027-03-31 09:00"),
            ("2027-03-31 09:00", "2027-04-30 09:00"),
            ("2027-04-30 09:00", "2027-05-31 09:00"),
        ]
        assert story.taken() == {"KES": 4 * 150_000}


def test_late_in_grace_and_after_it(begin: Begin) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("gold", 150_000, grace_days=3)
        client = story.client("client-late")
        client.pays("gold", "mpesa")
        story.until("2027-03-02 20:15")
        client.is_("grace", "2027-02-28 09:00")
        client.pays_link("mpesa")
        client.is_("paid", "2027-03-31 09:00")  # in grace it follows the old end
        story.until("2027-04-03 09:00")
        client.is_("expired", "2027-03-31 09:00")
        story.until("2027-04-06 20:15")
        client.pays_link("mpesa")
        client.is_("paid", "2027-05-06 20:15")  # after grace it begins when it is paid
        assert client.periods == [
            ("2027-01-31 09:00", "2027-02-28 09:00"),
            ("2027-02-28 09:00", "2027-03-31 09:00"),
            ("2027-04-06 20:15", "2027-05-06 20:15"),
        ]
        assert story.taken() == {"KES": 3 * 150_000}


def test_twice_gives_two_periods(begin: Begin) -> None:
    with begin("2027-03-31 09:00") as story:
        story.plan("gold", 150_000)
        client = story.client("client-twice")
        first, second = client.opens("gold", "mpesa"), client.opens("gold", "mpesa")
        client.goes_through_with(first)
        client.goes_through_with(second)
        client.is_("paid", "2027-05-31 09:00")
        story.until("2027-05-01 09:00")
        client.is_("paid", "2027-05-31 09:00")
        story.until("2027-05-31 09:00")
        client.is_("expired", "2027-05-31 09:00")
        assert client.periods == [
            ("2027-03-31 09:00", "2027-04-30 09:00"),
            ("2027-04-30 09:00", "2027-05-31 09:00"),
        ]
        assert story.taken() == {"KES": 2 * 150_000}


def test_half_the_price_buys_half_the_period(begin: Begin) -> None:
    with begin("2027-03-01 09:00") as story:
        story.plan("gold", 150_000)
        client = story.client("client-part")
        story.switches("pesapal", wrong_amount=-75_000, next={"wrong_amount": 1})
        payment_id = client.opens("gold", "mpesa", psp="pesapal")
        client.goes_through_with(payment_id, method="mpesa")
        story.until("2027-03-01 09:02")  # an unsigned notice is not asked about at once
        client.is_("never_subscribed", None)  # somebody has to look at it first
        story.until("2027-03-02 21:00")
        story.accepts(payment_id, "seen at the PSP")
        client.is_("paid", "2027-03-18 09:00")  # 15.5 of 31 days
        story.until("2027-03-18 09:00")
        client.is_("expired", "2027-03-18 09:00")
        client.pays_link("mpesa")
        client.is_("paid", "2027-04-18 09:00")
        assert story.taken() == {"KES": 75_000 + 150_000}


def test_a_prompt_on_each_day_of_the_schedule(begin: Begin) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("gold", 150_000, grace_days=3)
        client = story.client("client-prompted")
        client.subscribes("gold", renewal=PROMPTED)
        client.pays_link("mpesa")
        story.until("2027-02-27 09:00")
        client.declines_prompt()
        story.until("2027-03-01 09:00")
        client.is_("grace", "2027-02-28 09:00")
        client.accepts_prompt()
        client.is_("paid", "2027-03-31 09:00")
        story.until("2027-03-30 09:00")
        client.accepts_prompt()
        client.is_("paid", "2027-04-30 09:00")
        story.until("2027-05-10 09:00")  # prompts that nobody answers end by themselves
        client.is_("expired", "2027-04-30 09:00")
        asked = [line[:16] for line in client.told if "requires_action" in line]
        assert asked == [
            "2027-01-31 09:00",
            *(f"2027-{day} 09:00" for day in ("02-27", "03-01", "03-30", "04-29")),
            *(f"2027-{day} 09:00" for day in ("05-01", "05-03", "05-05", "05-07")),
        ]
        assert story.taken() == {"KES": 3 * 150_000}
