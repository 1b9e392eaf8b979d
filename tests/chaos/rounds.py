"""A round: some stories at once, told step by step in an order that the dice make, until nothing
is due any more; then it is judged."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.chaos import judge
from tests.chaos.stage import LONGEST_CALL_SECONDS, Act, Kill, Stage, Told
from tests.chaos.story import PASSES, Story, Wish, reconcile, webhook

STORIES = 12
STEPS = 8
"""A story's, about, before the world becomes quiet."""
KILLED = 0.6
"""How much of what is done in a round is to be killed."""
BY_THE_CLOCK = 0.2
"""How much of that at an instant, and not at a point."""
PAUSES = (1, 5, 11, 31, 31, 61, 61, 130, 700)
LAST_PAUSES = (61, 61, 700, 3_700, 86_400, 3_700, 86_400, *[3_700] * 12)
"""In the end the clock moves past every claim, the time to pay, and the PSP's memory of keys; and
not past the days that answers are kept."""


@dataclass
class Tally:
    """Who died where, in all rounds."""

    killed: Counter[str] = field(default_factory=Counter)
    by_the_clock: int = 0
    spared: int = 0
    """Calls that were done before they came to the point."""

    def __str__(self) -> str:
        killed = ", ".join(f"{point} {times}" for point, times in sorted(self.killed.items()))
        return f"{killed}; by the clock {self.by_the_clock}; spared {self.spared}"


class Round:
    """One round. An AssertionError tells what the judge found."""

    def __init__(self, stage: Stage, tally: Tally, seed: str) -> None:
        self._stage, self._tally, self._world = stage, tally, stage.world
        self._dice = Random(seed)
        plan = self._world.plan
        self.stories = [
            Story.drawn(self._dice, f"r{seed.rpartition('/')[2]}s{number:x}", plan)
            for number in range(STORIES)
        ]

    def play(self) -> None:
        """Everything, to the judgement."""
        for _ in range(STORIES * STEPS):
            if self._dice.random() < 0.2:
                self._pause(self._dice.choice(PAUSES))
            elif self._dice.random() < 0.2:
                self._do("reconcile", reconcile(self._world))
            else:
                self._step(self._dice.choice(self.stories))
        self._become_quiet()
        judge.judge(self._stage, self.stories)

    def _step(self, story: Story) -> None:
        """Something that may happen now in this story."""
        steps = [self._create, self._pay, self._deliver, self._read, self._refund]
        self._dice.choice(steps)(story)

    def _create(self, story: Story) -> None:
        story.pay.hear(self._do("create", story.create(self._world), story))

    def _pay(self, story: Story) -> None:
        if story.fate == "page" and self._dice.random() < 0.7:
            self._stage.psp.ask("pay", story=story.name)
            story.log.append("the client pays")

    def _deliver(self, story: Story) -> None:
        told = self._stage.psp.ask("events", story=story.name)
        assert told is not None
        events = [each["event"] for each in told["events"]]
        if events:
            self._send(story, self._dice.choice(events))

    def _send(self, story: Story, event: Told) -> None:
        answer = self._do("webhook", webhook(self._world, event), story)
        if answer is not None:
            assert answer["status"] != 500, f"{event} crashed: {answer}"
            story.acknowledged |= {event["event_id"]} if answer["status"] == 200 else set()

    def _read(self, story: Story) -> None:
        if story.payment_id is not None:
            answer = self._do("read", story.read(self._world), story)
            assert answer is None or answer["status"] == 200, answer

    def _refund(self, story: Story) -> None:
        if story.refunds and story.payment_id is not None:
            self._ask_back(story, self._dice.choice(story.refunds))

    def _ask_back(self, story: Story, wish: Wish) -> None:
        wish.hear(self._do("refund", story.refund(self._world, wish), story))

    def _become_quiet(self) -> None:
        """Patient clients and the PSP go on for a while; then only the timer does."""
        for story in self.stories:
            for _ in range(8):
                if story.is_patient and story.pay.heard is None:
                    self._create(story)
                    self._pause(31)
            self._deliver_the_rest(story)
        for seconds in LAST_PAUSES:
            self._pause(seconds)
            self._do("reconcile", reconcile(self._world))
            if judge.is_quiet(self._stage):
                break
        for story in self.stories:
            for wish in (story.pay, *story.refunds):
                if wish.heard is not None:  # once more, and alive
                    again = story.create if wish is story.pay else None
                    act = again(self._world) if again else story.refund(self._world, wish)
                    wish.hear(self._stage.act(act, None))

    def _deliver_the_rest(self, story: Story) -> None:
        told = self._stage.psp.ask("events", story=story.name)
        assert told is not None
        for each in told["events"]:
            event = each["event"]
            if not story.psp_gives_up and event["event_id"] not in story.acknowledged:
                self._send(story, event)

    def _pause(self, seconds: float) -> None:
        self._world.pass_time(seconds=seconds)
        self._note(f"{seconds} s pass")

    def _do(self, what: str, act: Act, story: Story | None = None) -> Told | None:
        kill = self._drawn_kill(what)
        answer = self._stage.act(act, kill)
        if kill is not None:
            self._count(kill, was_killed=answer is None)
        died = f", to be killed {kill}" if kill else ""
        said = "died" if answer is None else answer.get("status", answer)
        line = f"{what}{died}: {said}"
        if story is not None:
            story.log.append(line)
        else:
            self._note(line)
        return answer

    def _note(self, line: str) -> None:
        for story in self.stories:
            story.log.append(line)

    def _drawn_kill(self, what: str) -> Kill | None:
        """Mostly where the fewest died so far."""
        if self._dice.random() > KILLED:
            return None
        if self._dice.random() < BY_THE_CLOCK:
            return Kill(after_seconds=self._dice.uniform(0, LONGEST_CALL_SECONDS))
        tie = {point: self._dice.random() for point in PASSES[what]}
        points = sorted(PASSES[what], key=lambda point: (self._tally.killed[point], tie[point]))
        nth = 1 + (self._dice.random() < 0.2) if what == "reconcile" else 1
        return Kill(points[0 if self._dice.random() < 0.5 else self._dice.randrange(3)], nth)

    def _count(self, kill: Kill, *, was_killed: bool) -> None:
        if not was_killed:
            self._tally.spared += 1
        elif kill.point is None:
            self._tally.by_the_clock += 1
        else:
            self._tally.killed[kill.point] += 1
