"""What must be known although the database is not: the latch, the lease and its epoch, the live unlocks.

file       `SafetyFile`: the preallocated two-slot file that a trader maps, and any process may latch
state      what the slots say, as values
mapped     its bytes: a file, mapped and locked, or what a simulated disk has for one
slots      one slot as bytes: torn, foreign or whole
emergency  records on which exits may rest while the journal can't commit
process    who we are, and whether a holder still lives
"""

from __future__ import annotations

from tws.safety.file import SafetyFile
from tws.safety.process import Process, end_process, is_alive, this_process
from tws.safety.state import Latch, Lease, SafetyState, Unlock

__all__ = [
    "Latch",
    "Lease",
    "Process",
    "SafetyFile",
    "SafetyState",
    "Unlock",
    "end_process",
    "is_alive",
    "this_process",
]
