"""Many clients at once for two years: some live by a plan, others as the dice fall."""

from datetime import datetime, timedelta
from random import Random

from tests.journeys.stories.client import Client
from tests.journeys.stories.story import Story

WHIMS_A_YEAR = 12
WHIMSICAL = 4
CARD_TROUBLE = (datetime.fromisoformat("2027-06-25T09:00Z"), timedelta(days=7))
"""When all banks decline for a week, and how long."""
_PROMPTED = {"method": "mpesa", "hour": 12, "time_zone": "Africa/Nairobi"}
_WHIMS = (
    *("card", "card", "card", "phone", "leaves", "declines"),
    *("cancel", "pause", "resume", "change", "back"),
)


class Crowd:
    """Its clients. The dice are the seed's, and no other chance is theirs."""

    def __init__(self, story: Story, seed: int) -> None:
        self._story = story
        self._dice = Random(seed)
        self._troubled = False
        self._paid_by_card: dict[str, str] = {}
        story.plan("silver", 100_000, grace_days=5)
        story.plan("gold", 300_000, grace_days=5, trial_days=14)
        story.plan("yearly", 2_500_000, interval={"unit": "year"}, grace_days=5)
        self.steady = story.client("steady-card")
        self.yearly = story.client("steady-year")
        self.prompted = story.client("steady-phone")
        self.whimsical = [story.client(f"whim-{n}") for n in range(WHIMSICAL)]

    def begin(self) -> None:
        """Everybody comes."""
        self.steady.pays("silver", save_method=True)
        self.yearly.pays("yearly", save_method=True)
        self.prompted.subscribes("silver", renewal=_PROMPTED)
        self.prompted.pays_link("mpesa")
        for client in self.whimsical:
            client.subscribes("gold")

    def live(self, days: int) -> None:
        """Day after day."""
        for _ in range(days):
            tomorrow = self._story.now + timedelta(days=1)
            self._story.until(f"{tomorrow:%F %H:%M}")
            self._banks()
            if self.prompted.has_prompt:
                self.prompted.accepts_prompt()
            for client in self.whimsical:
                if self._dice.random() < WHIMS_A_YEAR / 365:
                    self._follow_whim(client)

    def _banks(self) -> None:
        began, lasts = CARD_TROUBLE
        troubled = began <= self._story.now < began + lasts
        if troubled is not self._troubled:
            self._troubled = troubled
            self._story.switches("stripe", **({"off_session": "declined"} if troubled else {}))

    def _follow_whim(self, client: Client) -> None:
        dice = self._dice
        match dice.choice(_WHIMS):
            case "card":
                plan, keeps = dice.choice(("silver", "gold")), dice.random() < 0.7
                self._paid_by_card[client.name] = client.pays(plan, save_method=keeps)
            case "phone":
                client.pays(dice.choice(("silver", "gold")), "mpesa")
            case "leaves":
                client.opens("silver")
            case "declines":
                client.goes_through_with(client.opens("silver", "mpesa"), "decline")
            case "cancel":
                client.asks("cancel", at=dice.choice(("period_end", "now", "never")))
            case "pause":
                until = self._story.now + timedelta(days=dice.randrange(1, 60))
                client.asks("pause", resumes_at=until.isoformat())
            case "resume":
                client.asks("resume")
            case "change":
                plan = dice.choice(("silver", "gold"))
                client.asks("change", plan=plan, proration=dice.choice(("credit", "none")))
            case "back" if client.name in self._paid_by_card:
                client.is_refunded(self._paid_by_card.pop(client.name))
