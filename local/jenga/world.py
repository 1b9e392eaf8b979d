"""What every part of Jenga's stand-in works on."""

from local.jenga.faults import Faults
from local.jenga.store import State
from local.standin import world

World = world.World[State, Faults]
