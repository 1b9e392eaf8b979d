"""What every part of Pesapal's stand-in works on."""

from local.pesapal.faults import Faults
from local.pesapal.store import State
from local.standin import world

World = world.World[State, Faults]
