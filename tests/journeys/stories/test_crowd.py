"""A crowd through 24 months; and the same story told twice, to the byte."""

from typing import Any

from tests.journeys.stories.conftest import Begin
from tests.journeys.stories.crowd import Crowd
from tests.journeys.stories.story import Story

START = "2027-01-31 09:00"
TWO_YEARS = 731
"""With a leap day."""


def test_two_years_of_many_clients(begin: Begin) -> None:
    with begin(START) as story:
        crowd = Crowd(story, seed=1)
        crowd.begin()
        crowd.live(TWO_YEARS)
        assert f"{story.now:%F %H:%M}" == "2029-01-31 09:00"
        ends = [end for _, end in crowd.steady.periods]
        assert ends[:5] == [
            f"2027-{day} 09:00" for day in ("02-28", "03-31", "04-30", "05-31", "06-30")
        ]
        assert "2028-02-29 09:00" in ends
        for client in (crowd.steady, crowd.prompted):
            client.is_("paid", "2029-02-28 09:00")  # declined for a week, and no day was lost
            assert len(client.periods) == 25
        crowd.yearly.is_("paid", "2030-01-31 09:00")
        assert story.taken() == {"KES": told_of_money(story)}


def test_the_same_seed_tells_the_same_story(begin: Begin) -> None:
    first, again, other = (_told(begin, seed) for seed in (7, 7, 8))
    assert first[0] == again[0]
    assert first[0] != other[0]
    assert first[1] == other[1]  # who does not live by dice


def _told(begin: Begin, seed: int) -> tuple[bytes, list[list[str]]]:
    with begin(START, seed) as story:
        crowd = Crowd(story, seed)
        crowd.begin()
        crowd.live(45)
        steady = [client.told for client in (crowd.steady, crowd.yearly, crowd.prompted)]
        return str(story.timeline).encode(), steady


def told_of_money(story: Story) -> int:
    """What was taken and not given back, by the events that apps were sent, in minor units."""
    rows: list[tuple[Any, ...]] = story.scene.rows(
        """SELECT coalesce(sum((data ->> 'amount')::int)
                           FILTER (WHERE type = 'payment.succeeded'), 0)
                  - coalesce(sum((data ->> 'amount')::int)
                             FILTER (WHERE type = 'refund.succeeded'), 0)
           FROM outbox"""
    )
    return int(rows[0][0])
