"""The switches that make the stand-in misbehave, for good or for the next few times."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(ge=0, le=30 * 86400)]


class Faults(BaseModel):
    """All switches off by default. `next` limits a switch to a number of uses: {"lost": 2}."""

    model_config = ConfigDict(extra="forbid")

    late_seconds: Seconds = Field(default=0, description="deliver webhooks this much later")
    twice: bool = Field(default=False, description="deliver every event twice, at once")
    out_of_order: bool = Field(
        default=False, description="hold events for a second, deliver the newest first"
    )
    lost: bool = Field(default=False, description="never deliver; the event can still be listed")
    wrong_amount: int = Field(
        default=0, description="charge this many minor units more (or less) than asked"
    )
    wrong_currency: Literal["", "usd", "eur", "kes", "ugx"] = Field(
        default="", description="charge in this currency instead"
    )
    latency_seconds: Annotated[float, Field(ge=0, le=120)] = Field(
        default=0, description="take this long over every API request"
    )
    status_5xx: Literal[0, 500, 502, 503, 504] = Field(
        default=0, description="answer API requests so, without doing them"
    )
    timeout_after_charge: bool = Field(
        default=False, description="do the POST, then keep silent until the caller gives up"
    )
    drop_after_charge: bool = Field(
        default=False, description="do the POST, then cut the connection"
    )
    async_payment: Literal["", "succeeds", "fails"] = Field(
        default="", description="pay with a delayed method, which ends so"
    )
    async_seconds: Seconds = Field(default=5, description="how long a delayed method takes")
    pending_refunds: bool = Field(
        default=False, description="leave refunds pending, until somebody ends them"
    )
    next: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _limits_name_switches(self) -> Self:
        unknown = self.next.keys() - (type(self).model_fields.keys() - {"next", "async_seconds"})
        if unknown:
            raise ValueError(f"no such switch: {', '.join(sorted(unknown))}")
        return self


class Switchboard:
    """The switches as they stand."""

    def __init__(self) -> None:
        self.faults = Faults()

    def set(self, faults: Faults) -> None:
        self.faults = faults

    def take(self, name: str) -> Any:
        """A switch's value, for one use. The last of a limited number turns the switch off."""
        value = getattr(self.faults, name)
        if value and name in self.faults.next:
            self.faults.next[name] -= 1
            if self.faults.next[name] == 0:
                del self.faults.next[name]
                setattr(self.faults, name, Faults.model_fields[name].default)
        return value
