"""The rehearsal of the emergency stop: ten awkward moments, played on the simulator over real sockets.

stage    one simulated TWS, one trader with its journal and its safety file on disk
moments  the ten, each a function: set up, stop, judge by the broker's own books
frozen   a trader in a process of its own (sleeper), frozen and replaced
waking   a trader that slept through the stop
play     all of them in turn, and what came of it
"""

from __future__ import annotations

from tws.drill.moments import MOMENTS
from tws.drill.play import DrillReport, Played, run_drill

__all__ = ["MOMENTS", "DrillReport", "Played", "run_drill"]
