"""The timer that opens bills, charges, reminds, and tells what the clock turned."""

from tollgate.jobs import job
from tollgate.operations.renewals import renew_subscriptions

main = job(renew_subscriptions)
