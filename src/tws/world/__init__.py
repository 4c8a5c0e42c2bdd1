"""A simulated world in one thread: virtual time, a network in memory, a disk that can crash, all by a seed.

world     one of each, from one seed, and the crash of a process
loop      the asyncio event loop that jumps to the next timer (its parts: bare, handles)
domain    what can die or sleep alone: a process
network   listen and dial
link      the two ends of a link: asyncio transports that chunk, stall and are cut
faults    what the weather may do
store     a model of the journal's store
pages     a mapped file, for the safety file
trace     what happened, and its hash
"""

from __future__ import annotations

from tws.world.domain import Domain, current_domain
from tws.world.faults import CALM, Faults
from tws.world.loop import Bounds, VirtualLoop
from tws.world.network import Listener, Network
from tws.world.pages import Pages
from tws.world.store import Disk, DiskFaults, WorldStore
from tws.world.trace import Trace
from tws.world.world import World, WorldClock

__all__ = [
    "CALM",
    "Bounds",
    "Disk",
    "DiskFaults",
    "Domain",
    "Faults",
    "Listener",
    "Network",
    "Pages",
    "Trace",
    "VirtualLoop",
    "World",
    "WorldClock",
    "WorldStore",
    "current_domain",
]
