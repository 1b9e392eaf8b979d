"""A round: some stories at once, told step by step in an order that the dice make, until nothing
is due any more; then it is judged."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.chaos import judge
from tests.chaos.stage import LONGEST_CALL_SECONDS, Act, Kill, Stage, Told
from tests.chaos.story import PASSES, Story, Wish, reconcile, webhook
from tollgate.crash_points import CrashPoint

STORIES = 12
STEPS = 10
"""A story's, about, before the world becomes quiet."""
KILLED = {"create": 0.5, "refund": 0.7, "webhook": 0.7, "read": 0.7, "reconcile": 0.7}
"""How much of each is to be killed: what the rest waits for not quite as much."""
BY_THE_CLOCK = 0.15
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

    tried: Counter[tuple[str, str]] = field(default_factory=Counter)
    hit: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By call and point: how often one was to die there, and did."""

    def promise(self, what: str, point: CrashPoint) -> float:
        """More where few died so far, and where such a call mostly comes by."""
        likely = (self.hit[what, point] + 1) / (self.tried[what, point] + 2)
        return likely / (1 + self.killed[point]) ** 2

    def count(self, what: str, kill: Kill, *, was_killed: bool) -> None:
        """Notes what became of one who was to be killed."""
        self.spared += not was_killed
        if kill.point is None:
            self.by_the_clock += was_killed
            return
        self.tried[what, kill.point] += 1
        self.hit[what, kill.point] += was_killed
        self.killed[kill.point] += was_killed

    def __str__(self) -> str:
        killed = ", ".join(f"{point} {times}" for point, times in sorted(self.killed.items()))
        return f"{killed}; by the clock {self.by_the_clock}; spared {self.spared}"


class Round:
    """One round. An AssertionError tells what the judge found."""

    def __init__(self, stage: Stage, tally: Tally, seed: str) -> None:
        self._stage, self._tally, self._world = stage, tally, stage.world
        self._dice = Random(seed)
        self._asked: set[str] = set()
        plan = self._world.plan
        self.stories = [
            Story.drawn(self._dice, f"r{seed.rpartition('/')[2]}s{number:x}", plan)
            for number in range(STORIES)
        ]

    def play(self) -> None:
        """Everything, to the judgement."""
        for _ in range(STORIES * STEPS):
            if self._dice.random() < 0.15:
                self._pause(self._dice.choice(PAUSES))
                if self._dice.random() < 0.6:
                    self._do("reconcile", reconcile(self._world))
            else:
                self._step(self._dice.choice(self.stories))
        self._become_quiet()
        judge.judge(self._stage, self.stories)

    def _step(self, story: Story) -> None:
        """Something that may happen now in this story."""
        weights = {
            self._create: 1 if story.pay.heard else 8,
            self._pay: 3 if story.fate == "page" else 0,
            self._deliver: 4,
            self._read: 2 if story.pay.heard else 0,
            self._refund: 12 if any(wish.heard is None for wish in story.refunds) else 1,
        }
        (step,) = self._dice.choices(list(weights), list(weights.values()))
        step(story)

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
        news = [event for event in events if event["event_id"] not in story.acknowledged]
        if news or (events and self._dice.random() < 0.2):
            self._send(story, self._dice.choice(news or events))

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
            news = [wish for wish in story.refunds if wish.heard is None]
            wish = self._dice.choice(news or story.refunds)
            if story.is_patient or wish.key not in self._asked or self._dice.random() < 0.1:
                self._ask_back(story, wish)

    def _ask_back(self, story: Story, wish: Wish) -> None:
        self._asked.add(wish.key)
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
            self._tally.count(what, kill, was_killed=answer is None)
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
        """Mostly where few died so far."""
        if self._dice.random() > KILLED[what]:
            return None
        if self._dice.random() < BY_THE_CLOCK:
            return Kill(after_seconds=self._dice.uniform(0, LONGEST_CALL_SECONDS))
        points = PASSES[what]
        (point,) = self._dice.choices(points, [self._tally.promise(what, at) for at in points])
        nth = 1 + (self._dice.random() < 0.1) if what == "reconcile" else 1
        return Kill(point, nth)
