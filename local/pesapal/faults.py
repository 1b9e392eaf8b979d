"""The switches that only Pesapal's stand-in has."""

from pydantic import Field

from local.standin import faults


class Faults(faults.Faults):
    """Those of every PSP, tokens that end early, and the refusals and silences of Pesapal."""

    refuse_token: bool = Field(default=False, description="refuse tokens that are not over yet")
    refuse_token_in_body: bool = Field(
        default=False, description="refuse tokens inside HTTP 200, and not by HTTP 401"
    )
    limit_exceeded: bool = Field(
        default=False, description="refuse orders: the sandbox has taken too much already"
    )
    silent_unpaid: bool = Field(
        default=False, description="say of an unpaid order only that it is unpaid"
    )
    reject_refunds: bool = Field(default=False, description="reject requests for refunds")
