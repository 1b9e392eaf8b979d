"""What every part of Stripe's stand-in works on."""

from local.standin import world
from local.stripe.faults import Faults
from local.stripe.store import State

World = world.World[State, Faults]
