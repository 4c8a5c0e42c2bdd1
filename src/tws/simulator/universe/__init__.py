"""What the simulated TWS knows of instruments, and how a description finds them.

security   one instrument of any type, as a frozen value
stocks     the US stocks and ETFs that trade from the start
book       all of them by conId and by description
"""

from __future__ import annotations

from tws.simulator.universe.book import Universe
from tws.simulator.universe.security import CENT_RULE, EXCHANGES, SYNTHETIC_FROM, Security
from tws.simulator.universe.stocks import UNIVERSE, unlisted

__all__ = ["CENT_RULE", "EXCHANGES", "SYNTHETIC_FROM", "UNIVERSE", "Security", "Universe", "unlisted"]
