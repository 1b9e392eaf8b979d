"""The switches that only PayPal's stand-in has."""

from typing import Literal

from pydantic import Field

from local.standin import faults


class Faults(faults.Faults):
    """Those of every PSP, and what PayPal does with captures, refunds and requests."""

    instrument_declined: bool = Field(
        default=False, description="refuse captures: the client's card or bank says no"
    )
    capture_as: Literal["", "PENDING", "DECLINED"] = Field(
        default="", description="complete the order with a capture that stands so"
    )
    pending_refunds: bool = Field(
        default=False, description="leave refunds pending, until somebody ends them"
    )
    pending_vault: bool = Field(
        default=False, description="keep what is paid with only when asked to (vault)"
    )
    in_progress: bool = Field(
        default=False, description="answer POSTs 409, as if the same one were under way"
    )
    rate_limited: bool = Field(default=False, description="answer API requests 429")
    no_disputes_feature: bool = Field(
        default=False, description="do not let the app read disputes (403)"
    )
