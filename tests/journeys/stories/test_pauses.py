"""Stories of clients who pause: nothing that was paid for is used up meanwhile."""

from tests.journeys.stories.conftest import Begin
from tests.journeys.stories.story import QUIET


def test_until_a_date(begin: Begin) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("gold", 150_000)
        client = story.client("client-travels")
        client.pays("gold", save_method=True)
        story.until("2027-02-18 09:00")  # ten days are left
        client.pauses("2027-05-01 12:00")
        client.is_("paused", "2027-02-28 09:00")
        story.until("2027-05-01 11:59", QUIET)
        client.is_("paused", "2027-02-28 09:00")
        story.until("2027-05-01 12:00")
        client.is_("paid", "2027-05-11 12:00")
        story.until("2027-05-11 12:00")
        client.is_("paid", "2027-06-11 12:00")
        assert client.periods == [
            ("2027-01-31 09:00", "2027-05-11 12:00"),
            ("2027-05-11 12:00", "2027-06-11 12:00"),
        ]
        assert story.taken() == {"KES": 2 * 150_000}


def test_until_it_wants_to_go_on(begin: Begin) -> None:
    with begin("2027-01-31 09:00") as story:
        story.plan("gold", 150_000)
        resumes, pays = story.client("client-resumes"), story.client("client-pays")
        for client in (resumes, pays):
            client.pays("gold")
        story.until("2027-02-18 09:00")
        for client in (resumes, pays):
            client.pauses()
        story.until("2027-08-18 09:00", QUIET)
        for client in (resumes, pays):
            client.is_("paused", "2027-02-28 09:00")
        resumes.resumes()
        resumes.is_("paid", "2027-08-28 09:00")
        pays.pays("gold")  # who pays goes on
        pays.is_("paid", "2027-09-28 09:00")
        story.until("2027-08-28 09:00")
        resumes.is_("expired", "2027-08-28 09:00")
        assert story.taken() == {"KES": 3 * 150_000}
