"""Stories around 29 February 2028: months of every length, from an anchor that not all have."""

from itertools import pairwise

from tests.journeys.stories.conftest import Begin
from tests.journeys.stories.story import QUIET

_LAST_OF_FEBRUARY = (
    *("2028-02-29", "2029-02-28", "2030-02-28"),
    *("2031-02-28", "2032-02-29", "2033-02-28"),
)


def test_a_month_that_began_on_the_31st(begin: Begin) -> None:
    with begin("2027-12-31 09:00") as story:
        story.plan("gold", 150_000)
        client = story.client("client-31st")
        client.pays("gold", save_method=True)
        story.until("2028-06-01 09:00")
        days = ("01-31", "02-29", "03-31", "04-30", "05-31", "06-30")
        assert [end for _, end in client.periods] == [f"2028-{day} 09:00" for day in days]
        client.is_("paid", "2028-06-30 09:00")
        assert story.taken() == {"KES": 6 * 150_000}


def test_a_year_that_began_on_the_29th_of_february(begin: Begin) -> None:
    year = {"unit": "year"}
    with begin("2028-02-29 09:00") as story:
        story.plan("yearly", 1_500_000, interval=year, renewal_lead_days=14)
        client = story.client("client-29th")
        client.pays("yearly", save_method=True)
        client.is_("paid", "2029-02-28 09:00")
        for year_of_end in range(2029, 2033):
            story.until(f"{year_of_end}-02-13 09:00", QUIET)
            story.until(f"{year_of_end}-03-01 09:00")
        ends = [f"{day} 09:00" for day in _LAST_OF_FEBRUARY]
        assert client.periods == list(pairwise(ends))
        client.is_("paid", "2033-02-28 09:00")
        assert story.taken() == {"KES": 5 * 1_500_000}
