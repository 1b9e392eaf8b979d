"""The switches that only Jenga's stand-in has."""

from pydantic import Field

from local.standin import faults


class Faults(faults.Faults):
    """Those of every PSP, and what Jenga alone may do."""

    debited_not_credited: bool = Field(
        default=False,
        description="take the client's money by M-Pesa, and fail to credit it (code 4)",
    )
    without_currency: bool = Field(
        default=False, description="tell a transaction's details without the currency"
    )
    single_invoice: bool = Field(
        default=False, description="tell an order's one invoice as `invoice`, not in a list"
    )
