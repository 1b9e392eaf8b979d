"""What happened, a line each: what the service told, what people did, what the check said."""

from datetime import UTC, datetime
from typing import Any

from tests.journeys.stories.scene import Scene

Told = dict[str, Any]
_NEWS = """
    SELECT o.id, o.created_at, o.type, o.data,
           coalesce(o.data ->> 'client_id', p.client_id) AS client_id,
           p.psp, p.failure, p.saved_method_id IS NOT NULL AS was_away
    FROM outbox o LEFT JOIN payments p ON p.id = o.data ->> 'payment_id'
    WHERE o.created_at >= %s
    ORDER BY o.created_at, client_id, split_part(o.aggregate_id, '_', 1), o.aggregate_id,
             o.sequence"""


class Timeline:
    """The lines so far. No id is in them: who and when says which."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._read: set[str] = set()
        self._read_to = scene.clock.now()
        self.lines: list[str] = []

    def add(self, who: str, what: str, details: str = "") -> None:
        """A line of now."""
        self._add(self._scene.clock.now(), who, what, details)

    def read_news(self) -> None:
        """Adds what the service has told since it was last read."""
        news = self._scene.rows(_NEWS, self._read_to)
        for event_id, at, kind, told, who, psp, failure, was_away in news:
            if event_id in self._read:
                continue
            self._read.add(event_id)
            if kind.startswith("subscription."):
                details = _of_subscription(told)
            else:
                details = _of_payment(told, psp, failure, was_away=was_away)
            self._add(at, who, kind, details)
        if news:
            self._read_to = news[-1][1]

    def of(self, who: str) -> list[str]:
        """What was told about one client, without who it is about."""
        words = (line.split(None, 4) for line in self.lines)
        return [" ".join((*word[:2], *word[3:])) for word in words if word[2] == who]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def _add(self, at: datetime, who: str, what: str, details: str) -> None:
        self.lines.append(f"{instant(at)}  {who:<18}{what:<30}{details}".rstrip())


def at(text: str) -> datetime:
    """An instant in UTC, as the timeline writes it."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def instant(at: datetime | str | None) -> str:
    """To the minute, in UTC; to the second where that matters."""
    if at is None:
        return "never"
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    at = at.astimezone(UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S" if at.second or at.microsecond else "%Y-%m-%d %H:%M")


def money(minor: int, currency: str) -> str:
    """As people write it."""
    return f"{currency} {minor / 100:,.2f}"


def _of_subscription(told: Told) -> str:
    if "bill_id" in told:
        return f"{money(told['amount'], told['currency'])} due {instant(told['due_at'])}"
    plan = told["plan"] + (f", then {told['next_plan']}" if told["next_plan"] else "")
    return f"{told['status']}, {plan}, paid through {instant(told['paid_through'])}"


def _of_payment(told: Told, psp: str, failure: Told | None, *, was_away: bool) -> str:
    parts = [f"{money(told['amount'], told['currency'])} by {psp}"]
    if was_away:
        parts.append("what was kept")
    if told.get("amount_captured", told["amount"]) not in (0, told["amount"]):
        parts.append(f"{money(told['amount_captured'], told['currency'])} came")
    if told.get("amount_refunded"):
        parts.append(f"{money(told['amount_refunded'], told['currency'])} went back")
    if failure:
        parts.append(failure["code"])
    return ", ".join(parts)
