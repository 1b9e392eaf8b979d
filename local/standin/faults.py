"""The switches that make a stand-in misbehave, for good or for the next few times."""

from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(ge=0, le=30 * 86400)]


class Faults(BaseModel):
    """What any PSP may do wrong; a stand-in adds its own. All is off by default.

    `next` limits a switch to a number of uses: {"lost": 2}. A field whose default is not "off",
    such as a duration, says how, not whether: it is no switch and has no number of uses.
    """

    model_config = ConfigDict(extra="forbid")

    late_seconds: Seconds = Field(default=0, description="deliver notifications this much later")
    twice: bool = Field(default=False, description="deliver every event twice, at once")
    out_of_order: bool = Field(
        default=False, description="hold events for a second, deliver the newest first"
    )
    lost: bool = Field(default=False, description="never deliver; the PSP still knows the event")
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
    garbage: bool = Field(
        default=False,
        description="answer API requests 200 with a proxy's HTML page, without doing them",
    )
    timeout_after_charge: bool = Field(
        default=False, description="do the POST, then keep silent until the caller gives up"
    )
    drop_after_charge: bool = Field(
        default=False, description="do the POST, then cut the connection"
    )
    next: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _limits_name_switches(self) -> Self:
        fields = type(self).model_fields.items()
        switches = {name for name, field in fields if name != "next" and not field.default}
        unknown = self.next.keys() - switches
        if unknown:
            raise ValueError(f"no such switch: {', '.join(sorted(unknown))}")
        return self


FaultsT = TypeVar("FaultsT", bound=Faults)


class Switchboard(Generic[FaultsT]):
    """The switches as they stand; all off, to begin with."""

    def __init__(self, kind: type[FaultsT]) -> None:
        self.kind = kind
        self.faults = kind()

    def set(self, faults: FaultsT) -> None:
        self.faults = faults

    def take(self, name: str) -> Any:
        """A switch's value, for one use. The last of a limited number turns the switch off."""
        value = getattr(self.faults, name)
        if value and name in self.faults.next:
            self.faults.next[name] -= 1
            if self.faults.next[name] == 0:
                del self.faults.next[name]
                setattr(self.faults, name, self.kind.model_fields[name].default)
        return value
