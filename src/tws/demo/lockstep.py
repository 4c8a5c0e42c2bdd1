"""Market time as a turn-based game: it moves only when everybody has heard and answered all.

Both ends count their bytes. While one end has sent what the other has not received, a frame waits for TWS's
pace (which counts the machine's time), or the desk has something to take, to commit or to ask, market time
stands. So a run does not depend on how fast the machine is, and the same seed gives the same run, over real
sockets.
"""

from __future__ import annotations

import asyncio

from tws.clock import SystemClock
from tws.runtime import Trader
from tws.simulator import SimulatedTWS

__all__ = ["Lockstep", "MarketClock"]

PACE_LOOK_S = 0.005
"""Between two looks at what waits for TWS's pace: its windows are of a second, so a look costs nothing."""
QUIET_LOOKS = 2
"""How often all must look quiet in a row: what the loop is about to run shows at the second look."""


class MarketClock:
    """The simulator's market time as the desk's `now`; waits and time-outs keep to the machine's clock."""

    def __init__(self, simulator: SimulatedTWS) -> None:
        self._simulator = simulator
        self._system = SystemClock()

    def now_ns(self) -> int:
        return self._simulator.now_ns()

    def monotonic(self) -> float:
        return self._system.monotonic()


class Lockstep:
    """Settles one simulator and one trader that run on this loop."""

    def __init__(self, simulator: SimulatedTWS, trader: Trader) -> None:
        self._simulator = simulator
        self._trader = trader

    def quiet(self) -> bool:
        """No byte is in flight, nothing waits."""
        simulator, connection = self._simulator, self._trader.connection
        return (
            self._trader.idle
            and not self._paced
            and simulator.bytes_sent == connection.bytes_received
            and connection.bytes_sent == simulator.bytes_received
        )

    @property
    def _paced(self) -> bool:
        """Whether a frame has yet to leave."""
        connection = self._trader.connection
        return bool(connection.outbound or connection.waiting_requests)

    async def settle(self) -> None:
        """Return when all is quiet, or when nobody is left to wait for: no link, or a failed trader."""
        trader, looks = self._trader, 0
        while looks < QUIET_LOOKS and trader.connection.is_connected() and trader.failure is None:
            if trader.engine.busy:
                await trader.engine.turned()  # the disk is at work: do not spin beside its thread
            await asyncio.sleep(PACE_LOOK_S if self._paced else 0)
            looks = looks + 1 if self.quiet() else 0
