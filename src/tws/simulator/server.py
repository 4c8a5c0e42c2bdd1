"""The simulated TWS as a whole: market, exchange, sessions, the driver of market time, the listening socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tws.exchange import Exchange
from tws.simulator.faults import Faults
from tws.simulator.options import SimulatorOptions

__all__ = ["SimulatedTWS"]


class SimulatedTWS:
    """One simulated TWS. All methods belong to the event loop that runs it.

    `exchange` is the market's own truth, open to tests. `bytes_received` and `bytes_sent` sum over all sessions,
    ended ones included. `over` is set when the market has no more updates.
    """

    exchange: Exchange
    faults: Faults
    over: asyncio.Event
    bytes_received: int
    bytes_sent: int

    def __init__(self, options: SimulatorOptions = SimulatorOptions()) -> None:
        """Raises ConfigError for a wrong option, DataError for a data file that can't be read."""
        raise NotImplementedError

    async def start(self, *, listen: bool = True) -> tuple[str, int]:
        """Begin market time and (unless `listen` is False) accept clients. Returns host and port."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Close every session and the listening socket; safe twice."""
        raise NotImplementedError

    def protocol_factory(self) -> Callable[[], asyncio.Protocol]:
        """What makes the server's side of a new session, over any asyncio transport."""
        raise NotImplementedError

    def now_ns(self) -> int:
        """Market time."""
        raise NotImplementedError

    def resume(self) -> None:
        """Let market time run, after `paused`."""
        raise NotImplementedError

    def pause(self) -> None:
        """Hold market time."""
        raise NotImplementedError

    def quote(self, symbol: str, *, bid: float, ask: float, bid_size: int = 1000, ask_size: int = 1000) -> None:
        """Set a market by hand, now."""
        raise NotImplementedError

    def trade(self, symbol: str, price: float, size: int = 100) -> None:
        """Print a trade by hand, now."""
        raise NotImplementedError
