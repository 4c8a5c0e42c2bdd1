"""Every failure of a real TWS, played at will: by name, from a file, at a time, at an event, by chance.

base      what a fault is, its time, its effect's hooks; the registry
engine    plays them: `sim.faults`; `schedule` keeps what is due
files     scenarios as TOML, and those that come with us (`scenarios/`)
link      connectivity, farms, the night, restarts
sockets   cuts, silence, refused dials, ids in use
wire      pieces, pauses, slow ends, malformed frames
data      streams that stop, wrong values, the market by hand
orders    what becomes of requests and orders inside TWS
mishaps   what befalls orders and executions at the broker
words     what is told twice, late or never
byhand    the human at TWS, the back office

`docs/design/faults.md` lists them all; a test holds that table equal to this code.
"""

from __future__ import annotations

from tws.simulator.faults import byhand, data, link, mishaps, orders, sockets, wire, words
from tws.simulator.faults.base import REGISTRY, Effect, Fault, When, build
from tws.simulator.faults.engine import FaultActions, Faults
from tws.simulator.faults.files import about, load, scenarios

__all__ = [
    "REGISTRY",
    "Effect",
    "Fault",
    "FaultActions",
    "Faults",
    "When",
    "about",
    "build",
    "load",
    "scenarios",
]

ALL = (byhand, data, link, mishaps, orders, sockets, wire, words)
"""Importing a module enters its faults in the registry."""
