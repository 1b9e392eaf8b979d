"""A timer: settles what nobody waits for any more."""

from tollgate.jobs import job
from tollgate.operations.reconcile import reconcile_payments

main = job(reconcile_payments)
