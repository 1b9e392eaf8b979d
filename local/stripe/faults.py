"""The switches that only Stripe's stand-in has."""

from typing import Literal

from pydantic import Field

from local.standin import faults


class Faults(faults.Faults):
    """Those of every PSP, delayed payment methods, and refunds that take their time."""

    async_payment: Literal["", "succeeds", "fails"] = Field(
        default="", description="pay with a delayed method, which ends so"
    )
    async_seconds: faults.Seconds = Field(default=5, description="how long a delayed method takes")
    off_session: Literal["", "declined", "authentication_required"] = Field(
        default="", description="refuse so what is charged while the client is away"
    )
    pending_refunds: bool = Field(
        default=False, description="leave refunds pending, until somebody ends them"
    )
