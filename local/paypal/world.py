"""What every part of PayPal's stand-in works on."""

from local.paypal.faults import Faults
from local.paypal.store import State
from local.standin import world

World = world.World[State, Faults]
